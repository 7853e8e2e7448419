import pytest

from asi_arch.domain.outcome import Crashed, Diverged, Leaking, Measured, Rejected, StoppedEarly, Suspicious, TimedOut
from asi_arch.domain.profile import StageName
from asi_arch.report.words import (
    MISSING,
    OUTCOMES,
    Reading,
    duration,
    listed,
    number,
    outcome_sentence,
    plural,
    reading,
)

LANGUAGE = StageName.LANGUAGE
LEAKING = Leaking(stage=LANGUAGE, row=3, position=7, loss_nats=1, blind_loss_nats=1.9, limit_nats=0.001, positions=32)
EXAMPLES = [
    (Measured(), "measured"),
    (Rejected(check="causality", reason="step 31 sees step 32"), "'causality': step 31 sees step 32"),
    (Crashed(stage=LANGUAGE, reason="ValueError"), "language stage: ValueError"),
    (Crashed(reason="killed"), "Crashed: killed"),
    (Diverged(stage=LANGUAGE, step=7), "step 7"),
    (TimedOut(stage=LANGUAGE, step=7, used_s=90, limit_s=80), "90 s used of 80 s"),
    (StoppedEarly(stage=LANGUAGE, step=7, loss_nats=2, baseline_loss_nats=1.9, margin=0.05), "2.000 nats against"),
    (Suspicious(stage=LANGUAGE, step=7, loss_nats=1, baseline_loss_nats=1.9), "reads its targets"),
    (LEAKING, "at position 7 of a held-out row its loss is 1.000 nats"),
]


@pytest.mark.parametrize(("outcome", "part"), EXAMPLES)
def test_every_outcome_has_a_sentence_with_its_reason(outcome, part):
    assert part in outcome_sentence(outcome)


def test_every_kind_of_outcome_has_a_name():
    assert {outcome.kind for outcome, _ in EXAMPLES} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (99, "99 s"), (210, "3.5 min"), (5939, "99.0 min"), (7500, "2 h 05 min"), (280_000, "3 d 5 h")],
)
def test_durations_are_short(seconds, text):
    assert duration(seconds) == text


def test_numbers_and_readings():
    assert number(None) == reading(None) == MISSING
    assert number(1.60749) == "1.607"
    assert reading(Reading(-0.0314, 0.012), is_signed=True) == "\u22120.031 ± 0.012"
    assert reading(Reading(1.6)) == "1.600"
    assert (plural(1, "seed"), plural(1773, "experiment")) == ("1 seed", "1,773 experiments")


def test_a_difference_without_noise_is_never_clear():
    assert not Reading(0.5).is_clear
    assert Reading(-0.5, 0.4).is_clear
    assert not Reading(0.5, 0.5).is_clear


def test_lists_are_read_aloud():
    assert [listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
