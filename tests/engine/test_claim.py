import json
from collections.abc import Callable, Iterator

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import Verdict
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import Scores, claim, is_contained
from asi_arch.engine.verify import verify
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

from .conftest import baseline

MakeBench = Callable[..., Bench]

NOISE = {
    "delta_net": (0.004, -0.006, 0.001, 0.003, -0.005, 0.002),
    "linear_attention": (-0.003, 0.005, 0.004, -0.006, 0.001, -0.002),
    "gla": (0.005, 0.002, -0.004, -0.001, 0.006, -0.005),
    "idea": (-0.002, -0.004, 0.005, 0.004, -0.001, 0.003),
    "other": (0.001, 0.006, -0.005, 0.002, -0.003, -0.004),
}
BASELINES = [baseline(name) for name in ("delta_net", "linear_attention", "gla")]


def values(gains: dict[str, tuple[float, float]], seeds: int) -> Scores:
    """Losses near 1.6 and accuracies near 0.7, gained (loss, recall) by name."""
    found = {}
    for name, noise in NOISE.items():
        loss, recall = gains.get(name, (0.0, 0.0))
        found[baseline(name).sha, StageName.LANGUAGE] = [1.6 - loss + e for e in noise[:seeds]]
        found[baseline(name).sha, StageName.RECALL] = [0.7 + recall + e for e in reversed(noise[:seeds])]
    return Scores(tuple(range(1000, 1000 + seeds)), found)


@pytest.fixture
def claims(make_bench: MakeBench) -> Iterator[Callable[..., Verdict]]:
    """Makes verdicts of one campaign, one after the other, and stores them."""
    bench = make_bench(FakeStore(), FakeLab())

    def make(
        name: str = "idea", *, loss: float = 0.0, recall: float = 0.0, seeds: int = 6, may_promote: bool = True
    ) -> Verdict:
        scores = values({name: (loss, recall)}, seeds)
        options = {"index": 1, "baselines": BASELINES, "may_promote": lambda _: may_promote}
        verdict = claim(bench, baseline(name), scores, **options)
        bench.store.save_verdict(verdict)
        return verdict

    make.bench = bench
    yield make


def test_a_clear_gain_is_promoted_and_told_with_its_q(claims: Callable[..., Verdict]) -> None:
    found = claims(loss=0.03)
    assert (found.is_promoted, found.reason, found.fresh_seeds, found.entrants) == (True, "", 6, 1)
    assert found.statement.startswith(
        "language loss better than delta_net by 0.029 ± 0.005 nats (95%), q < 0.001, 6 fresh seeds; "
    )
    assert "; recall accuracy not distinguishable from delta_net" in found.statement
    assert found.e_value is not None and found.e_value > 20


def test_a_tie_is_not_promoted(claims: Callable[..., Verdict]) -> None:
    found = claims(loss=0.002)
    assert not found.is_promoted
    assert found.reason == "language loss not distinguishable from delta_net"
    assert found.statement.startswith("language loss not distinguishable from delta_net")


def test_a_gain_bought_with_recall_is_not_promoted(claims: Callable[..., Verdict]) -> None:
    assert claims(loss=0.03, recall=-0.05).reason == "recall accuracy worse than delta_net"


def test_three_seeds_are_too_few(claims: Callable[..., Verdict]) -> None:
    assert claims(loss=0.1, seeds=3).reason == "3 fresh seeds, and promotion needs 4"


def test_what_no_sandbox_contained_is_not_promoted(claims: Callable[..., Verdict]) -> None:
    found = claims(loss=0.03, may_promote=False)
    assert found.reason == "its code ran under the containment 'fake', under which nothing can be promoted"
    assert found.containment == "fake"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("process", False), ("", False), ("container", False), ("bubblewrap", True), ("landlock", True)],
)
def test_results_of_the_two_upper_tiers_can_be_promoted(name: str, expected: bool) -> None:
    assert is_contained(name) is expected


def test_every_candidate_that_entered_raises_the_others_q(claims: Callable[..., Verdict]) -> None:
    alone = claims(loss=0.012)
    claims("other")
    again = claims(loss=0.012)
    assert (alone.entrants, again.entrants) == (1, 2)
    assert again.q_value == pytest.approx(2 * again.comparisons[0].p_value)


def test_looking_again_with_more_seeds_counts_as_another_entrant(claims: Callable[..., Verdict]) -> None:
    assert [claims(loss=0.01, seeds=n).entrants for n in (4, 5, 5, 6)] == [1, 2, 2, 3]


def test_other_models_tell_how_noisy_the_differences_are(claims: Callable[..., Verdict]) -> None:
    first, later = claims(loss=0.01, seeds=4), claims("other", loss=0.01, seeds=4)
    for verdict in (first, later):
        assert verdict.comparisons[0].degrees is not None and verdict.comparisons[0].degrees > 3


def test_without_the_reference_nothing_is_promoted(claims: Callable[..., Verdict]) -> None:
    found = claim(
        claims.bench, baseline("idea"), values({"idea": (0.1, 0)}, 6), index=1, baselines=BASELINES[1:],
        may_promote=lambda _: True,
    )  # fmt: skip
    assert (found.q_value, found.e_value, found.is_promoted) == (None, None, False)
    assert found.reason == "it was not compared with the reference"


async def test_trainings_of_an_uncontained_verification_stay_uncontained(make_bench: MakeBench) -> None:
    lab = FakeLab()
    bench = make_bench(FakeStore(), lab)
    options = {"index": 1, "baselines": ["delta_net"], "seeds": 4, "tick": lambda *_: None}
    lab.containment = "process"
    await verify(bench, baseline("a"), **options)
    lab.containment = "bubblewrap"
    assert "under the containment 'process'" in (await verify(bench, baseline("a"), **options)).reason


def test_a_verdict_from_before_promotion_can_still_be_read(claims: Callable[..., Verdict]) -> None:
    text = json.loads(claims(loss=0.03).model_dump_json())
    for name in ("fresh_seeds", "q_value", "entrants", "e_value", "containment", "is_promoted", "reason"):
        del text[name]
    for comparison in text["comparisons"]:
        del comparison["degrees"]
    old = Verdict.model_validate_json(json.dumps(text))
    assert (old.q_value, old.is_promoted, old.reason, old.comparisons[0].degrees) == (None, False, "", None)


def test_a_baseline_that_the_gates_promote_under_another_name_stops_promotion(
    claims: Callable[..., Verdict], make_bench: MakeBench
) -> None:
    store, protocol = claims.bench.store, claims.bench.campaign.protocol
    payload = {
        "protocol": protocol, "baseline": "delta_net", "trials": 3, "seeds": 8, "noise": [], "promoted": 3,
        "rate": {"estimate": 1.0, "low": 0.29, "high": 1.0}, "comparisons": [], "at": 0.0,
    }  # fmt: skip
    store.append(EventKind.CALIBRATED, None, {**payload, "protocol": "another"})
    assert claims(loss=0.03).is_promoted
    store.append(EventKind.CALIBRATED, None, payload)
    assert claims(loss=0.03).reason == ("the A/A calibration promoted 3 of 3 equal pairs, surely more than 5%")
    store.append(EventKind.CALIBRATED, None, {**payload, "promoted": 0, "rate": {"estimate": 0, "low": 0, "high": 1}})
    assert claims(loss=0.03).is_promoted
