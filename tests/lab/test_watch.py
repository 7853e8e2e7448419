import math

import pytest

from asi_arch.domain.outcome import Diverged, Measured, Outcome, Run, RunKey, StoppedEarly, Suspicious, TimedOut
from asi_arch.domain.profile import Rung, StageName, WatchSpec
from asi_arch.lab.watch import GRACE_CPU_S, LiveWatch

STEPS = 100
SPEC = WatchSpec(
    window=10,
    rungs=(Rung(fraction=0.2, margin=0.10), Rung(fraction=0.4, margin=0.05)),
    too_good=(Rung(fraction=0.4, margin=0.10),),
)


def _baseline(level: float = 2.0, cpu_s: float = 20.0) -> Run:
    key = RunKey(sha="b", protocol="p", stage=StageName.LANGUAGE, seed=0)
    return Run(key=key, outcome=Measured(), losses=(level,) * STEPS, steps=STEPS, tokens=STEPS, cpu_s=cpu_s)


def _watch(stage: StageName = StageName.LANGUAGE, *, baseline: Run | None = None) -> LiveWatch:
    return LiveWatch(SPEC, stage, steps=STEPS, baseline=baseline or _baseline())


def _fed(watch: LiveWatch, loss: float, cpu_per_step: float = 0.01) -> Outcome | None:
    outcomes = (watch.step(loss, cpu_per_step * step) for step in range(1, STEPS + 1))
    return next((outcome for outcome in outcomes if outcome is not None), None)


def test_as_good_as_the_baseline_runs_to_the_end() -> None:
    watch = _watch()
    assert _fed(watch, 2.04) is None
    assert len(watch.losses) == STEPS


@pytest.mark.parametrize(("loss", "step"), [(2.11, 20), (2.09, 40)])
def test_worse_by_more_than_the_margin_stops_at_its_rung(loss: float, step: int) -> None:
    outcome = _fed(_watch(), loss)
    assert isinstance(outcome, StoppedEarly)
    assert (outcome.step, outcome.baseline_loss_nats) == (step, pytest.approx(2.0))


@pytest.mark.parametrize("stage", list(StageName))
def test_rungs_are_where_early_stops_are_decided(stage: StageName) -> None:
    watch, rungs = _watch(stage), list[int]()
    for step in range(1, STEPS + 1):
        watch.step(2.0, 0.01)
        rungs += [step] if watch.is_at_rung else []
    assert rungs == ([20, 40] if stage is StageName.LANGUAGE else [])


def test_the_recall_stage_is_never_stopped_for_its_loss() -> None:
    assert _fed(_watch(StageName.RECALL), 5.0) is None
    assert _fed(_watch(StageName.RECALL), 0.1) is None


@pytest.mark.parametrize("loss", [math.nan, math.inf])
@pytest.mark.parametrize("stage", list(StageName))
def test_a_loss_that_is_not_finite_stops_at_once(loss: float, stage: StageName) -> None:
    watch = _watch(stage)
    assert watch.step(2.0, 0.0) is None
    assert watch.step(loss, 0.0) == Diverged(stage=stage, step=2)


def test_too_good_to_be_true_is_suspicious_but_not_before_its_rung() -> None:
    outcome = _fed(_watch(), 1.5)
    assert isinstance(outcome, Suspicious)
    assert outcome.step == 40
    assert _fed(_watch(), 1.9) is None


def test_three_times_the_baselines_time_is_too_long_after_a_grace() -> None:
    outcome = _fed(_watch(baseline=_baseline(cpu_s=10.0)), 2.0, cpu_per_step=0.31)
    assert isinstance(outcome, TimedOut)
    assert outcome.used_s > max(GRACE_CPU_S, outcome.limit_s * 0.99)
    assert _fed(_watch(baseline=_baseline(cpu_s=10.0)), 2.0, cpu_per_step=0.29) is None


def test_without_a_baseline_only_divergence_counts() -> None:
    watch = LiveWatch(SPEC, StageName.LANGUAGE, steps=STEPS, baseline=None)
    assert _fed(watch, 9.0, cpu_per_step=100.0) is None
    assert not watch.is_at_rung
