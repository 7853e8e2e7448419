import asyncio
from pathlib import Path

import pytest

from asi_arch.agents.analyst import NumbersAnalyst
from asi_arch.agents.comparison import Difference, Strength, in_errors
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Analysis, Experiment
from asi_arch.domain.outcome import Crashed, Diverged, Outcome, Rejected, StoppedEarly, Suspicious, TimedOut
from asi_arch.domain.ports import Evidence
from asi_arch.domain.profile import StageName
from asi_arch.testing.records import make_experiment, make_proposal

GOLDEN = Path(__file__).parent / "golden" / "analysis.txt"
NOISE = 0.010
REFERENCE = make_experiment(0, make_proposal("delta", mechanisms=("delta_rule", "unit_keys")), language=(1.66, 1.67))
PARENT = make_experiment(
    3, make_proposal("gated", mechanisms=("delta_rule", "scalar_decay", "unit_keys")), language=(1.630, 1.636)
)
CHILD = make_proposal(
    "gated_value",
    mechanisms=("delta_rule", "scalar_decay", "unit_keys", "value_path", "residual_mixing"),
    change="Adds a direct value path and residual mixing of the paths.",
    expectation="Language loss should fall, because the memory need not reproduce what is at hand.",
)
SIBLING = make_experiment(
    5, make_proposal("gated_path", mechanisms=("delta_rule", "unit_keys", "value_path")), language=(1.625, 1.625)
)
OTHER_SIBLING = make_experiment(6, make_proposal("gated_plain", mechanisms=("delta_rule",)), language=(1.650, 1.650))
CONTEXT = Evidence(REFERENCE, PARENT, (SIBLING, OTHER_SIBLING), (), NOISE)
LOST: list[Outcome] = [
    Rejected(check="causality", reason="position 31 changed with the future"),
    Crashed(reason="NameError: no such name"),
    Crashed(stage=StageName.RECALL, reason="out of memory"),
    Diverged(stage=StageName.LANGUAGE, step=120),
    TimedOut(stage=StageName.LANGUAGE, step=90, used_s=75.0, limit_s=60.0),
    StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.1, baseline_loss_nats=1.95, margin=0.1),
    Suspicious(stage=StageName.LANGUAGE, step=300, loss_nats=1.1, baseline_loss_nats=1.5),
]


def analysed(experiment: Experiment, context: Evidence = CONTEXT) -> Analysis:
    return asyncio.run(NumbersAnalyst().analyse(experiment, context))


def parts(analysis: Analysis) -> dict[str, str]:
    return analysis.model_dump(include={"design", "results", "expectation", "mechanism", "lessons"})


def child(*, language: tuple[float, ...] = (1.610, 1.614), recall: tuple[float, ...] = (0.60, 0.62)) -> Experiment:
    return make_experiment(7, CHILD, language=language, recall=recall)


def test_the_whole_account_stays_as_it_was() -> None:
    told = "\n\n".join(f"{part}: {text}" for part, text in parts(analysed(child())).items())
    assert told + "\n" == GOLDEN.read_text()


def test_a_difference_is_told_with_its_standard_errors() -> None:
    results = analysed(child()).results
    assert "Language loss is 1.612 ± 0.010 nats" in results
    assert "0.021 lower than the parent: about two standard errors, weak evidence" in results


def test_a_difference_within_the_noise_is_not_called_a_gain() -> None:
    found = analysed(child(language=(1.629, 1.633)))
    assert "within the noise" in found.results
    assert "did not move language loss beyond the noise" in found.lessons
    assert "(open)" in found.expectation


def test_without_a_known_noise_nothing_is_claimed() -> None:
    found = analysed(child(), CONTEXT._replace(noise_nats=None))
    assert "noise between seeds is not known" in found.results
    assert "no evidence" in found.results
    assert "whose noise is not known" in found.lessons


def test_siblings_serve_as_an_ablation() -> None:
    results = analysed(child()).results
    assert "The best of its 2 measured siblings, gated_path, reached 1.625" in results
    assert "With a direct value path, 2 relatives average 1.619 nats; without it, 1 relative average" in results


def test_mechanisms_in_an_authors_own_words_are_not_compared_with_the_catalogue() -> None:
    own_words = {"author": Author.MODEL, "mechanisms": ("the delta rule", "a clock of its own")}
    free = child()
    free = free.model_copy(update={"proposal": free.proposal.model_copy(update=own_words)})
    told = " ".join(parts(analysed(free)).values())
    assert "does without" not in told
    assert "removing" not in told
    assert "relatives average" not in told
    assert f"the program of {free.proposal.name}" in told


def test_several_changes_at_once_are_not_credited_to_one() -> None:
    assert "no single mechanism can be credited" in analysed(child()).design


@pytest.mark.parametrize("outcome", LOST, ids=lambda outcome: outcome.kind)
def test_every_ending_is_told_and_taught_without_invented_numbers(outcome: Outcome) -> None:
    found = analysed(make_experiment(7, CHILD, outcome=outcome))
    assert "Recall was not measured." in found.results
    assert all(text for text in parts(found).values())
    if not any(run.score for run in make_experiment(7, CHILD, outcome=outcome).runs):
        assert "Language loss is" not in found.results
        assert "open" in found.expectation


def test_what_was_measured_before_a_late_end_is_still_told() -> None:
    end = TimedOut(stage=StageName.RECALL, step=3, used_s=75.0, limit_s=60.0)
    found = analysed(make_experiment(7, CHILD, language=(1.610, 1.614), outcome=end))
    assert "after 75 s; the limit was 60 s" in found.results
    assert "Language loss is 1.612" in found.results


def test_the_reference_itself_is_not_compared_with_itself() -> None:
    found = analysed(REFERENCE, Evidence(REFERENCE, None, (), (), NOISE))
    assert "the reference" not in found.results
    assert "sets the mark" in found.lessons


def test_a_relative_without_a_score_is_called_so() -> None:
    lost = make_experiment(3, PARENT.proposal, outcome=Crashed(reason="boom"))
    assert (
        "not comparable with the parent, which has no score" in analysed(child(), CONTEXT._replace(parent=lost)).results
    )


def test_a_trade_is_called_a_trade() -> None:
    found = analysed(child(recall=(0.30, 0.31)))
    assert "lowered language loss" in found.lessons
    assert "lowered recall" in found.lessons
    assert "It trades one for the other." in found.lessons


def test_benchmarks_are_not_named() -> None:
    told = " ".join(parts(analysed(child(recall=(0.9, 0.91)))).values())
    assert "recall of several associations" in told
    assert "multi_query_recall" not in told
    assert "state_tracking" not in told


@pytest.mark.parametrize(
    ("difference", "strength", "words"),
    [
        (Difference(0.004, 0.01), Strength.NONE, "less than half a standard error"),
        (Difference(-0.021, 0.01), Strength.WEAK, "about two standard errors"),
        (Difference(0.045, 0.01), Strength.STRONG, "about four standard errors"),
        (Difference(0.5, 0.01), Strength.STRONG, "more than ten standard errors"),
        (Difference(0.5, 0.01, is_rough=True), Strength.WEAK, "weak evidence"),
        (Difference(0.02, 0.01, is_rough=True), Strength.NONE, "within the noise"),
        (Difference(0.5, None), Strength.UNKNOWN, "no evidence"),
        (Difference(0.5, 0.0), Strength.UNKNOWN, "no evidence"),
    ],
)
def test_evidence_is_counted_in_standard_errors(difference: Difference, strength: Strength, words: str) -> None:
    assert difference.strength is strength
    assert words in in_errors(difference)
