from collections.abc import Callable
from typing import Any

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import Crashed, Outcome, Run
from asi_arch.domain.ports import BlindScores, Progress, RunOrder
from asi_arch.domain.profile import Split
from asi_arch.domain.verdict import Verdict
from asi_arch.engine.bench import Bench
from asi_arch.engine.vault import times_opened
from asi_arch.engine.verify import FIRST_FRESH_SEED, verify
from asi_arch.testing.fake_lab import POSITIONS, FakeLab
from asi_arch.testing.fake_store import FakeStore

from .conftest import baseline

MakeBench = Callable[..., Bench]


class GainingLab(FakeLab):
    """The candidate gains so much in loss and recall: with fresh seeds, and in the vault."""

    containment = "bubblewrap"

    def __init__(self, fresh: float = 0.3, vault: tuple[float, float] = (0.1, 0.0)) -> None:
        super().__init__()
        self.gains = fresh, vault
        self.crashes = False

    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        run, weights = await super().run(order, on_progress)
        assert run.score is not None
        gain = self.gains[0] if order.key.sha == baseline("idea").sha else 0.0
        noise = (order.key.seed * 7919 % 13) / 1000 * (1 if gain else 0.5)
        score = run.score.model_copy(update={"loss_nats": 1.6 - gain + noise, "accuracy": 0.7 + noise})
        return run.model_copy(update={"score": score}), weights

    async def score_blind(self, order: RunOrder, weights: bytes) -> BlindScores | Outcome:
        if self.crashes:
            return Crashed(stage=order.key.stage, reason="scoring: ValueError: no")
        return await super().score_blind(order, weights)

    def levels(self, order: RunOrder) -> tuple[float, float]:
        loss, recall = self.gains[1] if order.key.sha == baseline("idea").sha else (0.0, 0.0)
        return 1.6 - loss, 0.7 + recall


@pytest.fixture
def looked(make_bench: MakeBench) -> Callable[..., Any]:
    async def look(lab: FakeLab, store: FakeStore | None = None, *, seeds: int = 4, **options: Any) -> Verdict:
        bench = options.pop("bench", None) or make_bench(store or FakeStore(), lab)
        given = {"index": 3, "baselines": ["delta_net"], "seeds": seeds, "tick": lambda *_: None, **options}
        return await verify(bench, baseline("idea"), **given)

    return look


async def test_what_fresh_seeds_and_the_vault_bear_out_is_promoted(looked: Callable[..., Any]) -> None:
    lab, store = GainingLab(), FakeStore()
    found = await looked(lab, store)
    assert (found.is_promoted, found.reason, found.vault_looks) == (True, "", 1)
    language, recall = found.vault.comparisons
    assert (language.baseline, language.quantity, recall.quantity) == ("delta_net", "language loss", "recall accuracy")
    assert (language.positions, language.documents, found.vault.seeds) == (POSITIONS, 32, (1000, 1001, 1002, 1003))
    assert language.difference.estimate == pytest.approx(-0.1, abs=0.01)
    assert "; in the vault, blind: language loss better than delta_net by 0.10" in found.statement
    assert "256 positions in 32 documents; in the vault, blind: recall accuracy not dist" in found.statement
    opened = [event for event in store.events() if event.kind is EventKind.VAULT_OPENED]
    assert [(event.experiment, event.payload["vault_looks"]) for event in opened] == [(3, 1)]


async def test_both_sides_are_scored_with_their_own_trained_weights(looked: Callable[..., Any]) -> None:
    lab, store = GainingLab(), FakeStore()
    await looked(lab, store)
    assert len(lab.blind_orders) == 2 * 2 * 4
    for order, weights in lab.blind_orders:
        assert order.key.split is Split.VAULT
        trained = order.key.model_copy(update={"split": Split.FRESH})
        assert weights == trained.model_dump_json().encode()
    assert not [order for order in lab.orders if order.key.split is Split.VAULT]
    shas = {baseline(name).sha for name in ("idea", "delta_net")}
    assert {(order.key.sha, order.key.seed) for order, _ in lab.blind_orders} == {
        (sha, FIRST_FRESH_SEED + place) for sha in shas for place in range(4)
    }


async def test_differences_are_averaged_over_the_seeds_at_every_position(looked: Callable[..., Any]) -> None:
    few, many = await looked(GainingLab()), await looked(GainingLab(), seeds=16)
    widths = [found.vault.comparisons[0].difference for found in (few, many)]
    first, second = (interval.high - interval.low for interval in widths)
    assert second == pytest.approx(first / 2, rel=0.35)


@pytest.mark.parametrize(
    ("vault", "reason"),
    [
        ((0.0, 0.0), "in the vault, blind: language loss not distinguishable from delta_net"),
        ((-0.1, 0.0), "in the vault, blind: language loss worse than delta_net"),
        ((0.1, -0.3), "in the vault, blind: recall accuracy worse than delta_net"),
    ],
)
async def test_what_the_vault_does_not_bear_out_is_refused(
    looked: Callable[..., Any], vault: tuple[float, float], reason: str
) -> None:
    found = await looked(GainingLab(vault=vault))
    assert (found.is_promoted, found.reason, found.vault_looks) == (False, reason, 1)


@pytest.mark.parametrize(
    ("fresh", "options"), [(0.0, {}), (0.3, {"seeds": 3}), (0.3, {"may_promote": lambda _: False})]
)
async def test_what_is_refused_before_leaves_the_vault_closed(
    looked: Callable[..., Any], fresh: float, options: dict[str, Any]
) -> None:
    lab, store = GainingLab(fresh), FakeStore()
    found = await looked(lab, store, **options)
    assert (found.vault, found.vault_looks, found.is_promoted, lab.blind_orders) == (None, 0, False, [])
    assert not [event for event in store.events() if event.kind is EventKind.VAULT_OPENED]


async def test_the_same_seeds_again_open_nothing_and_more_seeds_do(
    looked: Callable[..., Any], make_bench: MakeBench
) -> None:
    lab, store = GainingLab(), FakeStore()
    bench = make_bench(store, lab)
    first, again = await looked(lab, bench=bench), await looked(lab, bench=bench)
    assert (again.vault, again.vault_looks, again.statement) == (first.vault, 1, first.statement)
    assert (len(lab.orders), len(lab.blind_orders)) == (16, 16)
    more = await looked(lab, bench=bench, seeds=5)
    assert (more.vault_looks, len(lab.blind_orders)) == (2, 16 + 20)


async def test_an_opening_that_came_to_nothing_counts_and_promotes_nothing(
    looked: Callable[..., Any], make_bench: MakeBench
) -> None:
    lab, store = GainingLab(), FakeStore()
    bench = make_bench(store, lab)
    lab.crashes = True
    found = await looked(lab, bench=bench)
    assert (found.vault, found.vault_looks, found.is_promoted) == (None, 1, False)
    assert "crashed while it was scored in the vault (scoring: ValueError: no)" in found.reason
    assert store.verdicts() == [found]
    assert times_opened(store) == 1
    lab.crashes = False
    assert (await looked(lab, bench=bench)).vault_looks == 2


async def test_a_run_without_weights_says_what_to_do_and_opens_nothing(
    looked: Callable[..., Any], make_bench: MakeBench
) -> None:
    class Forgetful(GainingLab):
        async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
            return (await super().run(order, on_progress))[0], b""

    store = FakeStore()
    with pytest.raises(UserError, match=r"without its trained weights.* Start a new campaign with --state"):
        await looked(Forgetful(), store)
    assert times_opened(store) == 0


async def test_progress_in_the_vault_is_told(looked: Callable[..., Any]) -> None:
    told: list[tuple[int, int]] = []
    await looked(GainingLab(), vault_tick=lambda done, total: told.append((done, total)))
    assert told == [(done, 16) for done in range(17)]


async def test_old_looks_without_events_are_counted() -> None:
    store = FakeStore()
    store.save_verdict(Verdict(sha="a", index=1, protocol="p", comparisons=(), statement="", vault_looks=4, at=0.0))
    assert times_opened(store) == 4
