import math

import pytest

from asi_arch.domain.outcome import Rejected
from asi_arch.report.digest import digest
from asi_arch.report.standing import shown_names, yardstick
from asi_arch.testing.records import make_campaign, make_experiment

NAMES = ("DeltaNet", "Linear attention")


def reason(store, index=1):
    found = digest(store)
    return found.yardstick.why_none(next(line.summary for line in found.lines if line.summary.index == index))


def test_what_has_a_fitness_needs_no_reason(store_of):
    assert reason(store_of(make_experiment(1), fitness={1: 0.5})) == ""


@pytest.mark.parametrize(
    ("experiment", "text"),
    [
        (make_experiment(1, outcome=Rejected(check="causality", reason="")), "not measured: rejected by a check"),
        (
            make_experiment(1, recall=(0.1, 0.2)),
            "vetoed: its multi-query recall of 0.150 is below 0.250, Linear attention's less the noise",
        ),
        (
            make_experiment(1, language=(1.2, 1.2)),
            "suspect: a language loss more than 10% below the best baseline's looks like a leak",
        ),
        (make_experiment(1, language=(math.inf, 1.2)), "not measured: a number is missing or not finite"),
        (make_experiment(1), "waiting: the campaign has not entered it yet"),
    ],
)
def test_every_missing_fitness_has_its_reason(store_of, experiment, text):
    assert reason(store_of(experiment, names=NAMES)) == text


def test_before_the_baselines_are_measured_fitness_waits_for_them():
    summary = make_experiment(1).summary()
    found = yardstick(make_campaign(), {1: summary})
    assert found.parts(summary) is None
    assert found.why_none(summary) == "waiting: delta_net and linear_attention must be measured first"


def test_baselines_are_called_as_in_their_records_once_they_have_one(store_of):
    found = digest(store_of(names=NAMES))
    assert found.baseline_names == ["DeltaNet", "Linear attention", "gated_delta_net", "mamba2"]
    assert list(shown_names(found.campaign, {})) == list(found.campaign.profile.search.baselines)
