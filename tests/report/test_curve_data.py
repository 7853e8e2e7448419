import pytest

from asi_arch.domain.profile import StageName
from asi_arch.report.curve_data import CURVE_POINTS, curves, thinned
from asi_arch.testing.records import make_experiment


@pytest.mark.parametrize(("stage", "steps"), [(StageName.LANGUAGE, 500), (StageName.RECALL, 800)])
def test_curves_share_their_steps_and_are_thin(stage, steps):
    found = curves(stage, make_experiment(3), make_experiment(0), None)
    assert len(found["step"]) == len(found["loss"]) == len(found["reference"]) <= CURVE_POINTS
    assert found["step"][-1] == steps
    assert found["parent"] == []


def test_a_curve_ends_before_its_first_loss_that_is_not_finite():
    experiment = make_experiment(1)
    broken = tuple(run.model_copy(update={"losses": (3.0, 2.0, float("nan"), 1.0)}) for run in experiment.runs)
    found = curves(StageName.LANGUAGE, experiment.model_copy(update={"runs": broken}), None, None)
    assert found["loss"] == [3.0, 2.0]


def test_thinning_keeps_the_mean():
    losses = [float(i) for i in range(160)]
    found = thinned(losses, 80)
    assert len(found) == 80
    assert sum(found) / 80 == pytest.approx(sum(losses) / 160)
    assert thinned([], 80) == []
