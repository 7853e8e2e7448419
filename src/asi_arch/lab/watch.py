"""When a running training is ended. Pure: fed with what the worker reports, answers with a typed outcome.

Steps count from 1. Losses are compared as means over the last `window` steps, with the reference baseline's at the
same seed and the same steps, which saw the same batches.
"""

import math

from asi_arch.domain.outcome import Diverged, Outcome, Run, StoppedEarly, Suspicious, TimedOut
from asi_arch.domain.profile import Rung, StageName, WatchSpec

GRACE_CPU_S = 5.0
"""No run is ended for its CPU time before it has used this much: start-up is noisy."""


class LiveWatch:
    """Watches one run. `baseline` None watches for divergence only (baselines, verification)."""

    def __init__(self, spec: WatchSpec, stage: StageName, *, steps: int, baseline: Run | None) -> None:
        self._spec = spec
        self._stage = stage
        self._steps = steps
        self._baseline = baseline if baseline is not None and len(baseline.losses) == steps else None
        self._rungs = _at_steps(spec.rungs, steps) if stage is StageName.LANGUAGE else {}
        self._too_good = _at_steps(spec.too_good, steps)
        self.losses: list[float] = []

    @property
    def is_at_rung(self) -> bool:
        """Whether the last step was one at which an early stop is decided."""
        return self._baseline is not None and len(self.losses) in self._rungs

    def step(self, loss: float, cpu_s: float) -> Outcome | None:
        """Take the loss of the next step and the CPU time used so far; an outcome ends the run.

        `StoppedEarly` comes at rungs only, and is what this run's losses call for; others may have a say in it.
        """
        self.losses.append(loss)
        step = len(self.losses)
        if not math.isfinite(loss):
            return Diverged(stage=self._stage, step=step)
        if self._baseline is None:
            return None
        return self._out_of_time(self._baseline, step, cpu_s) or self._compared(self._baseline, step)

    def stalled(self) -> TimedOut:
        """The outcome of a run that gave no sign of life for `stall_s`."""
        limit = self._spec.stall_s
        return TimedOut(stage=self._stage, step=len(self.losses), used_s=limit, limit_s=limit)

    def _out_of_time(self, baseline: Run, step: int, cpu_s: float) -> Outcome | None:
        """Against the share of the baseline's time that these steps had."""
        limit = max(GRACE_CPU_S, self._spec.cpu_time_ratio * baseline.cpu_s * step / self._steps)
        return TimedOut(stage=self._stage, step=step, used_s=cpu_s, limit_s=limit) if cpu_s > limit else None

    def _compared(self, baseline: Run, step: int) -> Outcome | None:
        too_good, rung = self._too_good_at(step), self._rungs.get(step)
        if too_good is None and rung is None:
            return None
        own, other = self._recent(self.losses, step), self._recent(baseline.losses, step)
        if too_good is not None and own < other * (1 - too_good):
            return Suspicious(stage=self._stage, step=step, loss_nats=own, baseline_loss_nats=other)
        if rung is not None and own > other + rung:
            return StoppedEarly(stage=self._stage, step=step, loss_nats=own, baseline_loss_nats=other, margin=rung)
        return None

    def _too_good_at(self, step: int) -> float | None:
        """The gain that is suspicious from the latest rung on; recall is won by clicking early, so not there."""
        if self._stage is not StageName.LANGUAGE:
            return None
        reached = [margin for at, margin in self._too_good.items() if at <= step]
        return reached[-1] if reached else None

    def _recent(self, losses: "list[float] | tuple[float, ...]", step: int) -> float:
        window = losses[max(0, step - self._spec.window) : step]
        return sum(window) / len(window)


def _at_steps(rungs: tuple[Rung, ...], steps: int) -> dict[int, float]:
    """Margin by step, in order."""
    return {max(1, round(rung.fraction * steps)): rung.margin for rung in sorted(rungs, key=lambda r: r.fraction)}
