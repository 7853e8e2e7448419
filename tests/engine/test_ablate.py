from collections.abc import Callable

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, Design, Part, rendered
from asi_arch.agents.composer.ablation import removable, rests
from asi_arch.domain.ablation import Ablation
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Adapter, Author, Proposal, fingerprint
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import CheckReport, Finding, Severity
from asi_arch.domain.profile import Split
from asi_arch.engine.ablate import FIRST_SEED, ablate, plan
from asi_arch.engine.bench import Bench
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_proposal

MakeBench = Callable[..., Bench]


def composed(design: Design, name: str = "Whole") -> Proposal:
    source = rendered(design, name)
    return Proposal(
        author=Author.COMPOSER,
        name=name,
        motivation="It forgets.",
        source=source,
        fingerprint=fingerprint(source),
        mechanisms=design.keys,
        design=design.model_dump_json(),
    )


PARENT = composed(BASELINE_DESIGNS["delta_net"], "DeltaNet")
WHOLE = composed(
    Design(
        parts=(
            *BASELINE_DESIGNS["delta_net"].parts,
            Part(key="window_branch", settings={"window": 32}),
            Part(key="token_gates", settings={"prior": 0.0}),
            Part(key="scalar_decay", settings={"half_life": 32}),
        )
    )
)


class PassingLab(FakeLab):
    """Lets every program through its checks but those with a word in them."""

    def __init__(self, refused: str = "no such word") -> None:
        super().__init__()
        self._refused = refused

    async def check(self, source: str, adapter: Adapter = Adapter.MIXER) -> CheckReport:
        report = await super().check(source, adapter)
        fault = Finding(check="future", severity=Severity.ERROR, message="it looks ahead")
        return report.model_copy(update={"findings": (fault,) if self._refused in source else ()})


def test_what_the_parent_lacks_can_be_taken_out_and_everything_where_nothing_is_new() -> None:
    assert removable(WHOLE, PARENT) == ("scalar_decay", "window_branch", "token_gates")
    assert removable(WHOLE, None) == removable(WHOLE, WHOLE) == Design.model_validate_json(WHOLE.design).keys


def test_what_makes_no_sense_without_it_goes_as_well_and_what_is_needed_comes() -> None:
    without = {rest.mechanism: rest.proposal for rest in rests(WHOLE, removable(WHOLE, None))}
    assert set(WHOLE.mechanisms) - set(without["window_branch"].mechanisms) == {"window_branch", "token_gates"}
    assert "token_gates" not in without["token_gates"].mechanisms
    assert "window_branch" in without["token_gates"].mechanisms, "another routing takes the place"
    assert "delta_rule" not in without["delta_rule"].mechanisms
    assert all(rest.source != WHOLE.source and rest.change for rest in without.values())


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (make_proposal("Free", source="x = 1"), "Free can't be taken apart"),
        (WHOLE.model_copy(update={"source": WHOLE.source + "# mended\n"}), "written or mended freely"),
    ],
)
def test_free_code_is_refused_in_words(whole: Proposal, told: str) -> None:
    with pytest.raises(UserError, match=told):
        plan(whole, None, seeds=4)


def test_mechanisms_that_are_not_there_and_too_few_seeds_are_refused() -> None:
    with pytest.raises(UserError, match="Whole has no 'rotary'; it is made of delta_rule, scalar_decay"):
        plan(WHOLE, PARENT, seeds=4, mechanisms=("rotary",))
    with pytest.raises(UserError, match="--seeds must be at least 2, got 1"):
        plan(WHOLE, PARENT, seeds=1)


async def test_whole_and_rests_are_trained_with_seeds_of_their_own_on_the_searchs_text(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), PassingLab()
    wish = plan(WHOLE, PARENT, seeds=3)
    found = await ablate(make_bench(store, lab), wish, index=7, tick=lambda *_: None)
    assert {order.key.seed for order in lab.orders} == {FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2}
    assert {order.key.split for order in lab.orders} == {Split.VALIDATION}
    assert len(lab.orders) == len(wish.trainings) == 4 * 2 * 3
    for part in found.parts:
        assert [c.quantity for c in part.comparisons] == ["language loss", "recall accuracy"]
        for comparison, q in zip(part.comparisons, part.q_values, strict=True):
            assert comparison.baseline == "Whole"
            assert comparison.difference.estimate == pytest.approx(sum(comparison.differences) / 3)
            assert q >= comparison.p_value
        assert part.comparisons[0].degrees is not None, "variances of three rests are moderated"
    kept = [event for event in store.events() if event.kind is EventKind.ABLATED]
    assert [Ablation.model_validate(event.payload) for event in kept] == [found]
    assert kept[0].experiment == 7


async def test_nothing_is_trained_twice_and_more_parts_use_what_there_is(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), PassingLab()
    bench = make_bench(store, lab)
    await ablate(bench, plan(WHOLE, PARENT, seeds=2, mechanisms=("scalar_decay",)), index=7, tick=lambda *_: None)
    assert len(lab.orders) == 2 * 2 * 2
    await ablate(bench, plan(WHOLE, PARENT, seeds=2), index=7, tick=lambda *_: None)
    assert len(lab.orders) == 4 * 2 * 2


async def test_a_rest_that_is_refused_is_told_and_the_others_are_compared(make_bench: MakeBench) -> None:
    found = await ablate(
        make_bench(FakeStore(), PassingLab("residual")), plan(WHOLE, PARENT, seeds=2), index=7, tick=lambda *_: None
    )
    failed = [part for part in found.parts if part.failure]
    assert [part.failure for part in failed] == ["it looks ahead"]
    assert all(not part.comparisons for part in failed)
    assert all(part.comparisons for part in found.parts if not part.failure)


async def test_a_whole_that_is_refused_is_an_error(make_bench: MakeBench) -> None:
    with pytest.raises(UserError, match="Whole does not pass its checks any more: it looks ahead"):
        await ablate(
            make_bench(FakeStore(), PassingLab("Whole")), plan(WHOLE, PARENT, seeds=2), index=7, tick=lambda *_: None
        )
