"""What an experiment is worth, relative to baselines measured in the same campaign.

    fitness = 1/3 [ sigmoid(d_loss) + sigmoid(d_benchmark) + judge ],   d = scale * clip(relative gain / band, -1, 1)

(arXiv 2507.18074, with the released scale 6 and band 10%.) d_loss is the gain in held-out language loss, d_benchmark
that in recall accuracy over all synthetic tasks. The default formula, `recall_veto`, adds one rule: language loss alone
rewards convolutions that can't recall anything, so a candidate whose multi-query recall is below the floor baseline's
has no fitness at all (`veto_margin` leaves room for the noise of two seeds).

An experiment without fitness (None, never 0) is in no pool and is nobody's parent: a zero would enter a pool that is
not yet full.

A loss more than the band below a baseline's is taken for a leak: below the reference's in the paper's formula, below
the best baseline's by default, because an honest Mamba-2 is 9.7% better than DeltaNet at the `cpu` profile's size.
"""

import math
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from asi_arch.domain.errors import UserError
from asi_arch.domain.experiment import Summary
from asi_arch.domain.profile import FitnessSpec


class Standing(str, Enum):
    """Why an experiment has a fitness or none."""

    SCORED = "scored"
    UNMEASURED = "unmeasured"
    """A number is missing or not finite."""
    LEAK = "leak"
    """The loss is so far below the baseline's that targets were probably read."""
    VETOED = "vetoed"
    """Recalls less than the floor baseline."""


class FitnessParts(NamedTuple):
    """The three terms, each between 0 and 1, and their mean. None where nothing can be said."""

    standing: Standing
    loss: float | None = None
    recall: float | None = None
    judge: float | None = None
    total: float | None = None
    """None unless `standing` is SCORED."""


class Fitness:
    """Fitness relative to the reference baseline. Raises `UserError` where a baseline that it needs has no result."""

    def __init__(
        self, spec: FitnessSpec, reference: Summary, floor: Summary | None, others: Iterable[Summary] = ()
    ) -> None:
        """`floor` is the recall floor's summary, `others` are further baselines; the paper's formula uses neither."""
        self._spec = spec
        self._loss, self._recall, _ = _numbers(reference, "the reference baseline")
        self._floor, self._best_loss = 0.0, self._loss
        if spec.formula == "recall_veto":
            if floor is None:
                raise UserError("the formula 'recall_veto' needs the recall floor's result, got none")
            self._floor = _numbers(floor, "the recall floor")[2] - spec.veto_margin
            measured = [other.language_loss for other in (floor, *others) if other.is_measured]
            self._best_loss = min([self._loss, *(loss for loss in measured if loss is not None)])

    def of(self, summary: Summary) -> float | None:
        """Between 0 and 1, exclusive; None for what must not be a parent."""
        return self.parts(summary).total

    def parts(self, summary: Summary) -> FitnessParts:
        """The terms one by one, with the reason where there is no fitness."""
        loss, recall, mqar, judge = _finite(summary)
        if loss is None or recall is None or mqar is None or judge is None:
            return FitnessParts(Standing.UNMEASURED)
        gain = _gain(self._loss - loss, self._loss)
        if _gain(self._best_loss - loss, self._best_loss) > self._spec.band:
            return FitnessParts(Standing.LEAK)
        terms = (self._squashed(gain), self._squashed(_gain(recall - self._recall, self._recall)), judge)
        if mqar < self._floor:
            return FitnessParts(Standing.VETOED, *terms)
        return FitnessParts(Standing.SCORED, *terms, total=sum(terms) / 3)

    def _squashed(self, gain: float) -> float:
        clipped = max(-1.0, min(1.0, gain / self._spec.band))
        return 1 / (1 + math.exp(-self._spec.scale * clipped))


def _gain(difference: float, base: float) -> float:
    """Relative to `base`; where that is 0, any difference is without bound."""
    if base > 0:
        return difference / base
    return 0.0 if difference == 0 else math.copysign(math.inf, difference)


def _finite(summary: Summary) -> tuple[float | None, float | None, float | None, float | None]:
    """Loss, recall, multi-query recall and judge; None for what is missing, not finite or out of its range."""
    if not summary.is_measured:
        return None, None, None, None
    return (
        _within(summary.language_loss, math.inf),
        _within(summary.recall_accuracy, 1.0),
        _within(summary.mqar_accuracy, 1.0),
        _within(summary.judge, 1.0),
    )


def _within(value: float | None, largest: float) -> float | None:
    return value if value is not None and math.isfinite(value) and 0.0 <= value <= largest else None


def _numbers(baseline: Summary, role: str) -> tuple[float, float, float]:
    """Loss, recall and multi-query recall of a baseline."""
    loss, recall, mqar, _ = _finite(baseline)
    if loss is None or recall is None or mqar is None:
        raise UserError(f"{role} '{baseline.name}' must be measured, got outcome '{baseline.outcome}'")
    return loss, recall, mqar
