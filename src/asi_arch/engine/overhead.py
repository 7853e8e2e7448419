"""What one experiment costs besides computing: the intercept of its time over the number of training steps.

Whole experiments are run (propose, check, fork, train, score, judge, record), each with few and with more steps. The
time that grows with the steps is training; the checks' own CPU time is taken off as measured in their process.
"""

import statistics
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from asi_arch.domain.experiment import Experiment
from asi_arch.domain.profile import Profile

FEW, MORE = 4, 12


class Timed(NamedTuple):
    """An experiment's wall time from before its proposal to after its record, in seconds."""

    experiment: Experiment
    wall_s: float


class Overhead(NamedTuple):
    """Medians over the repetitions, in milliseconds."""

    overhead_ms: float
    """Propose to stored, without training and without the checks' own computing."""
    check_ms: float
    """CPU time of the checks themselves."""
    step_ms: float
    """Of one training step of both stages, all seeds side by side."""
    repetitions: int


def shortened(profile: Profile, steps: int) -> Profile:
    """The profile with this many steps in both stages, and one held-out row per part."""
    language = profile.language.model_copy(update={"steps": steps, "held_out_windows": 1})
    recall = profile.recall.model_copy(update={"steps": steps, "held_out_per_task": 1})
    return profile.model_copy(update={"language": language, "recall": recall})


async def measure(timed: Callable[[int, int], Awaitable[Timed]], repetitions: int) -> Overhead:
    """`timed(steps, n)` runs the n-th experiment with so many steps in each stage."""
    overheads: list[float] = []
    checks: list[float] = []
    steps: list[float] = []
    for repetition in range(repetitions):
        few, more = await timed(FEW, repetition), await timed(MORE, repetition)
        per_step = max(0.0, (_fixed(more) - _fixed(few)) / (MORE - FEW))
        overheads.append(_fixed(few) - FEW * per_step)
        checks.append(few.experiment.cost.check_cpu_s)
        steps.append(per_step)
    overhead, check, step = (1000 * statistics.median(values) for values in (overheads, checks, steps))
    return Overhead(overhead, check, step, repetitions)


def _fixed(timed: Timed) -> float:
    """Wall time less the checks' own CPU time."""
    return timed.wall_s - timed.experiment.cost.check_cpu_s
