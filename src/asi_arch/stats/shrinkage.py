"""The best of many is partly luck. Shrinking towards the mean of all takes the expected luck out."""

import math
from collections.abc import Sequence

from asi_arch.domain.verdict import Interval
from asi_arch.stats.special import normal_quantile


def shrunken(estimate: float, error: float, *, population: Sequence[float], confidence: float = 0.95) -> Interval:
    """The true value of one of many, given that true values and errors are normal (empirical Bayes).

    With the population's mean m and variance v, and `error` the standard error of one estimate:
        tau^2 = max(0, v - error^2)               how much the true values differ
        w     = tau^2 / (tau^2 + error^2)         how much an estimate can be believed
        value = m + w (estimate - m) +- z sqrt(w) error

    `population` holds the estimates of all candidates that were measured, this one included; fewer than three can't
    say how much true values differ, and the estimate is returned as it is. Raises `ValueError` for a negative error.
    """
    if error < 0:
        raise ValueError(f"a standard error is not negative, got {error}")
    centre, weight = estimate, 1.0
    if len(population) >= 3:
        centre = sum(population) / len(population)
        variance = sum((value - centre) ** 2 for value in population) / (len(population) - 1)
        true_variance = max(0.0, variance - error**2)
        weight = true_variance / (true_variance + error**2) if true_variance + error**2 > 0 else 1.0
    value = centre + weight * (estimate - centre)
    half_width = normal_quantile(0.5 + confidence / 2) * math.sqrt(weight) * error
    return Interval(estimate=value, low=value - half_width, high=value + half_width, confidence=confidence)
