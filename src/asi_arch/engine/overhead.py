"""What one experiment costs besides computing, by taking the computing off its wall time.

Whole experiments are run (propose, check, fork, train, score, judge, record) with few training steps in each stage and
the smallest checks. Off goes what the checks took by the clock of their process, and the time from the beginning of
a stage's first step to the report of its last. Everything else stays in: the fresh processes, building the model, the
weights on their way, scoring as far as it does not fit into the time of the checks of trained weights, the store. CPU
time would be the wrong thing to take off: where others use the cores, computing takes longer than that, and the
difference would be counted here. What passes between two steps is no fixed cost and is told by itself.
"""

import statistics
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from asi_arch.domain.experiment import Experiment
from asi_arch.domain.profile import Profile

STEPS = 12
"""In each stage: enough for a median that one hiccup does not move."""


class Step(NamedTuple):
    """One training step."""

    at: float
    """When it was reported, by the controller's clock in seconds."""
    took_s: float
    """How long it took in its process."""


class Timed(NamedTuple):
    """An experiment of one seed, from before its proposal to after its record."""

    experiment: Experiment
    wall_s: float
    stages: tuple[tuple[Step, ...], ...]


class Overhead(NamedTuple):
    """Over the repetitions, in milliseconds."""

    overhead_ms: float
    """Median of propose to stored, without training and without the checks' own computing."""
    least_ms: float
    most_ms: float
    step_ms: float
    """Median of one training step of each stage, added up."""
    between_steps_ms: float
    """Median of what one step waits for after the other, the worker's messages included."""
    repetitions: int


def shortened(profile: Profile) -> Profile:
    """The profile with one seed, few steps, one held-out row per part, two blind positions and the smallest checks."""
    language = profile.language.model_copy(update={"steps": STEPS, "held_out_windows": 1})
    recall = profile.recall.model_copy(update={"steps": STEPS, "held_out_per_task": 1})
    smallest = {"lengths": (31,), "batch_sizes": (1, 2), "growth_lengths": (16, 32, 64, 128)}
    checks = profile.checks.model_copy(update=smallest)
    blind = profile.blind.model_copy(update={"positions": 2, "prefixes": 1})
    parts = {
        "language": language,
        "recall": recall,
        "checks": checks,
        "blind": blind,
        "seeds": profile.seeds[:1],
    }
    return profile.model_copy(update=parts)


async def measure(timed: Callable[[int], Awaitable[Timed]], repetitions: int) -> Overhead:
    """`timed(n)` runs the n-th experiment."""
    found = [await timed(n) for n in range(repetitions)]
    overheads = [1000 * _besides_computing(one) for one in found]
    steps = [1000 * sum(statistics.median(step.took_s for step in stage) for stage in one.stages) for one in found]
    gaps = [1000 * gap for one in found for stage in one.stages for gap in _gaps_s(stage)]
    return Overhead(
        statistics.median(overheads),
        min(overheads),
        max(overheads),
        statistics.median(steps),
        statistics.median(gaps),
        repetitions,
    )


def _besides_computing(timed: Timed) -> float:
    checks_s = sum(run.check_wall_s for run in timed.experiment.runs)
    if timed.experiment.checks is not None:
        checks_s += timed.experiment.checks.wall_s
    return timed.wall_s - checks_s - sum(stage[-1].at - stage[0].at + stage[0].took_s for stage in timed.stages)


def _gaps_s(stage: Sequence[Step]) -> list[float]:
    return [later.at - earlier.at - later.took_s for earlier, later in pairwise(stage)]
