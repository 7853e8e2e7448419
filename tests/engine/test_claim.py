import json
from collections.abc import Callable, Iterator

import pytest

from asi_arch.domain.calibration import Calibration, SeedNoise, SeedValues
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import CalibrationUse, SeedSpread, Verdict
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import Scores, claim, is_contained
from asi_arch.engine.verify import verify
from asi_arch.stats.evidence import always_valid_p
from asi_arch.stats.promotion import proportion
from asi_arch.testing.fake_calibrations import FakeCalibrations
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
    bench = make_bench(FakeStore(), FakeLab())._replace(calibrations=FakeCalibrations())

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
    assert found.anytime_p == always_valid_p(found.comparisons[0].differences) < 0.05


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
    names = ("fresh_seeds", "q_value", "entrants", "e_value", "containment", "is_promoted", "reason")
    for name in (*names, "anytime_p", "vault", "calibration"):
        del text[name]
    for comparison in text["comparisons"]:
        del comparison["degrees"]
    old = Verdict.model_validate_json(json.dumps(text))
    assert (old.q_value, old.is_promoted, old.reason, old.comparisons[0].degrees) == (None, False, "", None)
    assert (old.anytime_p, old.vault, old.calibration) == (None, None, None)


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


def calibration(claims: Callable[..., Verdict], promoted: int = 0, std: float = 0.004) -> Calibration:
    return Calibration(
        protocol=claims.bench.campaign.protocol, baseline="delta_net", trials=3, seeds=8, machine="a machine",
        at=86400.0,
        noise=(SeedNoise(quantity="language loss", std=std, degrees=47),), promoted=promoted,
        rate=proportion(promoted, 3), comparisons=(),
    )  # fmt: skip


def test_a_kept_calibration_can_refuse_and_says_where_it_comes_from(claims: Callable[..., Verdict]) -> None:
    kept = claims.bench.calibrations
    kept.keep(calibration(claims))
    found = claims(loss=0.03)
    assert found.is_promoted
    assert found.calibration == CalibrationUse(
        at=86400.0, machine="a machine", is_cached=True, noise_nats=0.004, degrees=47
    )
    kept.keep(calibration(claims, promoted=3))
    assert claims(loss=0.03).reason == (
        "the A/A calibration of 1970-01-02, made in another campaign, promoted 3 of 3 equal pairs, surely more than 5%"
    )


def test_the_campaigns_own_calibration_comes_before_a_kept_one(claims: Callable[..., Verdict]) -> None:
    claims.bench.calibrations.keep(calibration(claims, promoted=3))
    own = calibration(claims).model_copy(update={"at": 5.0})
    claims.bench.store.append(EventKind.CALIBRATED, None, own.model_dump(mode="json"))
    found = claims(loss=0.03)
    assert (found.is_promoted, found.calibration.is_cached, found.calibration.at) == (True, False, 5.0)


def test_the_calibrations_noise_enters_the_test_of_its_own_baseline(claims: Callable[..., Verdict]) -> None:
    before = claims(loss=0.01)
    claims.bench.calibrations.keep(calibration(claims))
    first, _, other, *_ = claims(loss=0.01).comparisons
    assert first.degrees > before.comparisons[0].degrees
    assert (other.baseline, other.degrees) == ("linear_attention", before.comparisons[2].degrees)
    claims.bench.calibrations.keep(calibration(claims, std=0.05))
    assert claims(loss=0.01).comparisons[0].p_value > first.p_value


def test_calibrated_baselines_enter_with_all_their_seeds_in_pairs(claims: Callable[..., Verdict]) -> None:
    seeds = tuple(range(1000, 1008))
    more = {"delta_net": (0.001, -0.003), "linear_attention": (0.004, -0.002), "gla": (-0.006, 0.005)}
    measured = tuple(
        SeedValues(
            sha=baseline(name).sha,
            seeds=seeds,
            values={"language loss": tuple(1.6 + e for e in (*NOISE[name], *rest))},
            spreads=(SeedSpread(baseline=name, quantity="language loss", mean=1.6, std=0.0047, seeds=8),),
        )
        for name, rest in more.items()
    )
    claims.bench.calibrations.keep(calibration(claims))
    before = claims(loss=0.01, seeds=4)
    claims.bench.calibrations.keep(calibration(claims).model_copy(update={"baselines": measured[1:]}))
    assert claims(loss=0.01, seeds=4).comparisons[0] == before.comparisons[0], "without the reference nothing is paired"
    claims.bench.calibrations.keep(calibration(claims).model_copy(update={"baselines": measured}))
    after = claims(loss=0.01, seeds=4)
    assert after.comparisons[0].degrees > before.comparisons[0].degrees
    assert after.comparisons[0].differences == before.comparisons[0].differences
    assert after.calibration.spreads == tuple(item.spreads[0] for item in measured)


def test_a_campaigns_own_calibration_is_joined_by_baselines_that_are_kept(claims: Callable[..., Verdict]) -> None:
    spread = SeedSpread(baseline="gla", quantity="language loss", mean=1.6, std=0.01, seeds=8)
    kept = SeedValues(sha=baseline("gla").sha, seeds=(1000,), values={}, spreads=(spread,))
    claims.bench.calibrations.keep(calibration(claims, promoted=3).model_copy(update={"baselines": (kept,)}))
    claims.bench.store.append(EventKind.CALIBRATED, None, calibration(claims).model_dump(mode="json"))
    found = claims(loss=0.03)
    assert (found.is_promoted, found.calibration.is_cached, found.calibration.spreads) == (True, False, (spread,))
