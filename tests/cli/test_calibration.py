import inspect
import io

import pytest
from rich.console import Console

from asi_arch.cli import afterwards
from asi_arch.cli.calibration import CalibrateWish, cost_text, known_text, print_calibration
from asi_arch.cli.second_look import few_seeds_text, print_verdict
from asi_arch.domain.calibration import Calibration, SeedNoise, SeedValues
from asi_arch.domain.errors import CandidateError, UserError
from asi_arch.domain.verdict import BlindComparison, CalibrationUse, Interval, SeedSpread, VaultLook, Verdict
from asi_arch.engine.calibrate import Estimate
from asi_arch.engine.claim import Calibrated
from asi_arch.mixers import baselines
from asi_arch.stats.promotion import proportion


def printed(show, value):
    console = Console(file=io.StringIO(), width=200)
    show(value, console)
    return console.file.getvalue()


def calibration(promoted, *, noise=0.01):
    return Calibration(
        protocol="p",
        baseline="DeltaNet",
        trials=5,
        seeds=8,
        noise=(SeedNoise(quantity="language loss", std=noise, degrees=79),),
        promoted=promoted,
        rate=proportion(promoted, 5),
        comparisons=(),
        at=0.0,
    )


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Estimate(96, 96, 3600.0), "0 of them stored. The others take about 1:00:00 of CPU time, 30:00 with 2"),
        (Estimate(96, 0, 0.0), "96 trainings, 96 of them stored. Nothing is left to train."),
        (Estimate(96, 90, None), "How long the others take is not known"),
    ],
)  # fmt: skip
def test_the_cost_is_told_in_a_sentence(cost, text):
    assert text in cost_text(cost, 2)


def test_noise_rate_and_the_seeds_that_a_claim_needs_are_told():
    text = printed(print_calibration, calibration(0))
    assert "Promoted: 0 of 5 pairs of 8 seeds that differ by chance alone, 0% [0%, 52%] (95%)" in text
    assert "0.0100" in text
    assert "0.01 nats: 18; 0.02 nats: 7; 0.05 nats: 4" in text
    assert "promotes nothing" not in text


def test_a_baseline_that_is_promoted_too_often_is_a_warning():
    assert "promotes nothing in this campaign" in printed(print_calibration, calibration(4))


def test_without_noise_no_number_of_seeds_is_told():
    assert "can't be told" in printed(print_calibration, calibration(0, noise=0.0))


def test_a_verdict_is_told_with_q_and_why_it_is_not_promoted():
    verdict = Verdict(
        sha="a", index=1, protocol="p", comparisons=(), statement="a statement", vault_looks=3, at=0.0,
        q_value=0.2, entrants=5, e_value=3.14159, anytime_p=0.318,
        reason="q = 0.2 over 5 verifications, and promotion needs 0.1",
    )  # fmt: skip
    text = printed(print_verdict, verdict)
    assert "not promoted: q = 0.2 over 5 verifications, and promotion needs 0.1" in text
    assert (
        "q = 0.2 after correction for all verifications of this campaign (5); e = 3.14, anytime p = 0.32 (valid" in text
    )
    assert "what fresh seeds do not refuse, has been opened 3 times in this campaign" in text
    assert "No A/A calibration is known" in text
    assert "No q-value" in printed(print_verdict, verdict.model_copy(update={"q_value": None}))


def test_a_look_into_the_vault_and_where_the_noise_comes_from_are_told():
    gap = Interval(estimate=-0.03, low=-0.04, high=-0.02)
    blind = BlindComparison(baseline="DeltaNet", quantity="language loss", difference=gap, positions=2048, documents=21)
    use = CalibrationUse(at=0.0, machine="a machine", is_cached=True, noise_nats=0.0231, degrees=47)
    verdict = Verdict(
        sha="a", index=1, protocol="p", comparisons=(), statement="a statement", vault_looks=1, at=0.0,
        vault=VaultLook(seeds=(1000, 1001), comparisons=(blind,)), calibration=use,
    )  # fmt: skip
    text = printed(print_verdict, verdict)
    assert "The vault, blind" in text
    assert "-0.0300 [-0.0400, -0.0200]" in text
    assert "2,048" in text
    assert "what fresh seeds do not refuse, has been opened once in this campaign." in text
    assert "A/A calibration of 1970-01-01, made in another campaign and kept in the cache (a machine): " in text
    assert "0.0231 nats (std, 47 degrees of freedom)" in text
    own = verdict.model_copy(update={"calibration": use.model_copy(update={"is_cached": False})})
    assert "A/A calibration of 1970-01-01, of this campaign: " in printed(print_verdict, own)


def test_what_is_known_is_said_with_its_origin():
    found = calibration(0).model_copy(update={"machine": "a machine"})
    assert known_text(Calibrated(found, True)).startswith(
        "Known since 1970-01-01, measured in another campaign on this class of machines (a machine): nothing is"
    )
    assert "measured in this campaign" in known_text(Calibrated(found, False))
    assert "DeltaNet against itself (a machine)" in printed(print_calibration, found)


def test_eight_seeds_are_the_default():
    assert inspect.signature(afterwards.calibrate).parameters["seeds"].default == 8


def test_trainings_whose_cost_is_a_guess_are_told():
    text = cost_text(Estimate(64, 16, 960.0, 16), 2)
    assert "16:00 of CPU time, 8:00 with 2 at a time. 16 are of programs never trained here" in text
    assert text.endswith("and are counted like those of the reference.")
    assert "never trained" not in cost_text(Estimate(64, 16, 960.0), 2)


SPREAD = SeedSpread(baseline="Mamba-2", quantity="language loss", mean=1.4821, std=0.0123, seeds=8)


def test_the_baselines_spread_is_shown_where_it_was_measured():
    measured = SeedValues(sha="m", seeds=tuple(range(8)), values={}, spreads=(SPREAD,))
    text = printed(print_calibration, calibration(0).model_copy(update={"baselines": (measured,)}))
    for word in ("Mamba-2", "1.4821", "0.0123"):
        assert word in text
    assert "same fresh seeds" not in printed(print_calibration, calibration(0))


def test_a_verdict_tells_the_spread_of_the_baselines_it_compares_with():
    use = CalibrationUse(
        at=0.0, machine="a machine", is_cached=False, noise_nats=0.02, degrees=47,
        spreads=(SPREAD, SPREAD.model_copy(update={"quantity": "recall accuracy"})),
    )  # fmt: skip
    verdict = Verdict(
        sha="a", index=1, protocol="p", comparisons=(), statement="", vault_looks=0, at=0.0, calibration=use
    )
    text = " ".join(printed(print_verdict, verdict).split())
    assert "Baselines' language loss, ± one std between seeds: Mamba-2 1.4821 ± 0.0123 (8 seeds)." in text


def test_only_the_other_baselines_are_trained_where_the_pairs_are_known():
    text = known_text(Calibrated(calibration(0), False), is_all=False)
    assert "only the other baselines are trained" in text


def wish(*against, everything=False):
    return CalibrateWish(3, 8, None, None, False, False, against, everything)


def test_baselines_may_be_named_one_by_one_or_in_a_list_or_all():
    assert wish("gla", "retnet,mamba2").baselines == ("gla", "retnet", "mamba2")
    assert wish().baselines == ()
    assert wish("gla", everything=True).baselines == baselines.names()


@pytest.mark.parametrize("name", ["gala", "", "gla,"])
def test_a_baseline_that_there_is_not_is_refused_before_anything_starts(name):
    with pytest.raises((UserError, CandidateError), match="known are delta_net, "):
        assert wish(name).baselines


def test_seeds_that_are_too_few_for_a_claim_are_told_before_they_are_trained():
    text = few_seeds_text(2)
    assert "2 seeds give an interval and no claim: nothing is promoted on fewer than 4" in text
