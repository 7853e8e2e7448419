"""Differences between experiments with their noise, and the words for them."""

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple, TypeVar

from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Run, StageScore
from asi_arch.domain.profile import StageName

T = TypeVar("T")

WEAK_EVIDENCE = 1.5
STRONG_EVIDENCE = 3.0
"""In standard errors."""
_FEW_DEGREES = 6
"""Below so many degrees of freedom a standard error is rough: Student's t is then well above the normal's quantile."""

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CAPABILITIES = {
    "multi_query_recall": "recall of several associations",
    "noisy_recall": "recall among noise",
    "selective_copy": "selective copying",
    "random_offset_copy": "copying from a distance",
    "state_tracking": "state tracking",
    "compression": "compression",
}


class Strength(str, Enum):
    """How much a difference says."""

    UNKNOWN = "unknown noise, so no evidence"
    NONE = "within the noise"
    WEAK = "weak evidence"
    STRONG = "strong evidence"


class Difference(NamedTuple):
    """One experiment minus another in one number."""

    value: float
    error: float | None
    """Standard error; None where the noise is not known. Zero (seeds that agree exactly) says nothing either."""
    is_rough: bool = False
    """Whether the error itself comes from a handful of seeds: more standard errors are asked for, less is claimed."""

    @property
    def strength(self) -> Strength:
        """From the number of standard errors."""
        if not self.error:
            return Strength.UNKNOWN
        count = abs(self.value) / self.error
        if count < (STRONG_EVIDENCE if self.is_rough else WEAK_EVIDENCE):
            return Strength.NONE
        return Strength.STRONG if count >= STRONG_EVIDENCE and not self.is_rough else Strength.WEAK

    @property
    def is_evident(self) -> bool:
        """Whether it stands out of the noise."""
        return self.strength in (Strength.WEAK, Strength.STRONG)


def language_losses(experiment: Experiment) -> list[float]:
    """Held-out loss in nats of every seed that was scored."""
    return _scored(experiment, StageName.LANGUAGE, lambda score: score.loss_nats)


def accuracies(experiment: Experiment, group: str | None = None) -> list[float]:
    """Accuracy of every scored seed in one synthetic task, or over all of them."""
    found = _scored(experiment, StageName.RECALL, lambda score: _accuracy(score, group))
    return [value for value in found if value is not None]


def groups(experiment: Experiment) -> list[str]:
    """Names of the synthetic tasks that were scored, in alphabetical order."""
    found = _scored(experiment, StageName.RECALL, lambda score: tuple(score.groups))
    return sorted({name for names in found for name in names})


def language_difference(one: Experiment, other: Experiment, noise_nats: float | None) -> Difference | None:
    """With the noise between seeds as pooled over the campaign; None where one of the two has no score."""
    mine, theirs = language_losses(one), language_losses(other)
    if not mine or not theirs:
        return None
    error = None if noise_nats is None else noise_nats * math.sqrt(1 / len(mine) + 1 / len(theirs))
    return Difference(mean(mine) - mean(theirs), error)


def accuracy_difference(one: Experiment, other: Experiment, group: str | None = None) -> Difference | None:
    """With the noise of the two experiments' own seeds; None where one of the two has no score."""
    mine, theirs = accuracies(one, group), accuracies(other, group)
    if not mine or not theirs:
        return None
    is_rough = len(mine) + len(theirs) - 2 < _FEW_DEGREES
    return Difference(mean(mine) - mean(theirs), _pooled_error(mine, theirs), is_rough)


def mean(values: Sequence[float]) -> float:
    """Of at least one value."""
    return sum(values) / len(values)


def capability(group: str) -> str:
    """What a synthetic task asks for, in words that do not name the task."""
    return _CAPABILITIES.get(group, group.replace("_", " "))


def in_errors(difference: Difference) -> str:
    """E.g. 'about two standard errors, weak evidence'."""
    if not difference.error:
        return Strength.UNKNOWN.value
    count = abs(difference.value) / difference.error
    if count < 0.5:
        return f"less than half a standard error, {difference.strength.value}"
    if count > 10:
        return f"more than ten standard errors, {difference.strength.value}"
    plural = "s" if round(count) > 1 else ""
    return f"about {_NUMBERS[round(count)]} standard error{plural}, {difference.strength.value}"


def nats(difference: Difference, other: str) -> str:
    """E.g. '0.021 lower than the parent: about two standard errors, weak evidence'."""
    if f"{abs(difference.value):.3f}" == "0.000":
        return f"the same as {other} to three digits"
    direction = "lower" if difference.value < 0 else "higher"
    return f"{abs(difference.value):.3f} {direction} than {other}: {in_errors(difference)}"


def points(difference: Difference, other: str) -> str:
    """E.g. '4.0 points above the parent: about one standard error, within the noise'."""
    if f"{100 * abs(difference.value):.1f}" == "0.0":
        return f"the same as {other} to a tenth of a point"
    direction = "below" if difference.value < 0 else "above"
    return f"{100 * abs(difference.value):.1f} points {direction} {other}: {in_errors(difference)}"


def _pooled_error(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Standard error of the difference of two means from the spread inside both groups."""
    freedom = len(one) + len(other) - 2
    if freedom < 1:
        return None
    squares = sum((value - mean(group)) ** 2 for group in (one, other) for value in group)
    return math.sqrt(squares / freedom * (1 / len(one) + 1 / len(other)))


def _accuracy(score: StageScore, group: str | None) -> float | None:
    if group is None:
        return score.accuracy
    return score.groups[group].accuracy if group in score.groups else None


def _scored(experiment: Experiment, stage: StageName, read: Callable[[StageScore], T]) -> list[T]:
    return [read(run.score) for run in stage_runs(experiment, stage) if run.score is not None]


def stage_runs(experiment: Experiment, stage: StageName) -> list[Run]:
    """The experiment's runs of one stage, in their order."""
    return [run for run in experiment.runs if run.key.stage is stage]
