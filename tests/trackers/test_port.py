import math

import pytest

from asi_arch.domain.outcome import Diverged, Rejected
from asi_arch.domain.profile import StageName
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.trackers.port import (
    MOST_POINTS,
    campaign_name,
    experiment_name,
    facts,
    final_scores,
    numbers,
    points,
)


@pytest.mark.parametrize("steps", [1, 2, 500, MOST_POINTS, MOST_POINTS + 1, 12_345])
def test_a_curve_keeps_its_ends_and_is_never_too_long(steps: int) -> None:
    found = points([float(step) for step in range(steps)])
    assert len(found) <= MOST_POINTS
    assert found[0] == (1, 0.0) and found[-1] == (steps, float(steps - 1))
    assert sorted({point.step for point in found}) == [point.step for point in found]


def test_no_losses_make_no_curve() -> None:
    assert points(()) == []


def test_numbers_are_the_means_that_the_record_has() -> None:
    experiment = make_experiment(language=(1.6, 1.7), recall=(0.5, 0.7))
    found = numbers(experiment)
    assert found["language_loss_nats"] == pytest.approx(1.65)
    assert found["recall_accuracy"] == pytest.approx(0.6)
    assert found["is_measured"] == 1.0
    assert final_scores(experiment)["language/seed1/held_out_loss_nats"] == pytest.approx(1.7)


def test_what_was_not_measured_is_left_out() -> None:
    found = numbers(make_experiment(outcome=Diverged(stage=StageName.LANGUAGE, step=40)))
    assert "language_loss_nats" not in found and found["is_measured"] == 0.0
    assert all(math.isfinite(value) for value in found.values())


def test_words_say_why_and_never_hold_the_program() -> None:
    experiment = make_experiment(outcome=Rejected(check="causality", reason="it reads ahead"))
    words = facts(experiment)
    assert words["outcome"] == "rejected" and words["reason"] == "it reads ahead"
    assert not any("import torch" in text for text in words.values())


def test_names_can_stand_in_a_path() -> None:
    experiment = make_experiment(17, make_proposal("../../a b/é:c"))
    assert experiment_name(experiment) == "0017-a_b_c"


def test_a_campaign_keeps_its_name_and_another_has_another() -> None:
    name = campaign_name(make_campaign())
    assert name == campaign_name(make_campaign())
    assert name != campaign_name(make_campaign(seed=1))
