"""Does something grow in proportion to what is spent? A line, a power law, a rate, and whether the rate changes.

A running total is the sum of all that came before, so its points depend on each other: the least-squares intervals of
its slope and exponent are too narrow, and its R^2 is high for any steady process, chance included. The exact interval
of a rate (`poisson_rate`) and the test for a trend (`rate_trend`) look at the single events and have no such fault.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.verdict import Interval
from asi_arch.stats.special import gamma_quantile, t_quantile

FEWEST_POINTS = 3
"""Two points lie on a line whatever they are."""


class LinearFit(NamedTuple):
    """y = intercept + slope * x by least squares."""

    slope: Interval
    intercept: float
    r_squared: float
    points: int

    def at(self, x: float) -> float:
        """The line's height."""
        return self.intercept + self.slope.estimate * x


class PowerLaw(NamedTuple):
    """y = factor * x^exponent, by least squares in logarithms."""

    exponent: Interval
    factor: float
    r_squared: float
    """Of the logarithms."""
    points: int

    def at(self, x: float) -> float:
        """The curve's height at x > 0."""
        return self.factor * x**self.exponent.estimate


def linear_fit(xs: Sequence[float], ys: Sequence[float], *, confidence: float = 0.95) -> LinearFit | None:
    """The line with the t-interval of its slope: slope +- t(n - 2) * sqrt(SSE / (n - 2) / Sxx).

    None for fewer than `FEWEST_POINTS` points and where all x are equal. R^2 is 1 where all y are equal. Raises
    `ValueError` for sequences of different lengths.
    """
    count = len(xs)
    if count != len(ys):
        raise ValueError(f"every x needs its y, got {count} and {len(ys)}")
    if count < FEWEST_POINTS:
        return None
    x_mean, y_mean = math.fsum(xs) / count, math.fsum(ys) / count
    x_square = math.fsum((x - x_mean) ** 2 for x in xs)
    if x_square == 0:
        return None
    slope = math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / x_square
    intercept = y_mean - slope * x_mean
    errors = math.fsum((y - intercept - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    y_square = math.fsum((y - y_mean) ** 2 for y in ys)
    reach = t_quantile(count - 2, 0.5 + confidence / 2) * math.sqrt(errors / (count - 2) / x_square)
    return LinearFit(
        slope=Interval(estimate=slope, low=slope - reach, high=slope + reach, confidence=confidence),
        intercept=intercept,
        r_squared=1 - errors / y_square if y_square > 0 else 1.0,
        points=count,
    )


def power_law(xs: Sequence[float], ys: Sequence[float], *, confidence: float = 0.95) -> PowerLaw | None:
    """The line of `linear_fit` through the logarithms of the points where both are positive; None as there."""
    pairs = [(math.log(x), math.log(y)) for x, y in zip(xs, ys, strict=True) if x > 0 and y > 0]
    fit = linear_fit([x for x, _ in pairs], [y for _, y in pairs], confidence=confidence)
    return None if fit is None else PowerLaw(fit.slope, math.exp(fit.intercept), fit.r_squared, fit.points)


def poisson_rate(events: int, spent: float, *, confidence: float = 0.95) -> Interval:
    """Events for each unit spent, with the exact interval of a constant rate (Garwood 1936).

    low = G(a/2; k) / T and high = G(1 - a/2; k + 1) / T, G the quantile of the gamma distribution with scale 1. Raises
    `ValueError` unless `events` >= 0 and `spent` > 0.
    """
    if events < 0 or spent <= 0:
        raise ValueError(f"a rate takes events >= 0 and something spent, got {events} and {spent}")
    tail = (1 - confidence) / 2
    low = gamma_quantile(events, tail) if events else 0.0
    high = gamma_quantile(events + 1, 1 - tail)
    return Interval(estimate=events / spent, low=low / spent, high=high / spent, confidence=confidence)


def rate_trend(times: Sequence[float], end: float) -> float | None:
    """Laplace's test of a constant rate over (0, end]: about standard normal, positive where the rate rises.

    z = (mean(t) / T - 1/2) * sqrt(12 n) (Cox & Lewis 1966, section 3.3). None for fewer than 4 events, where the normal
    approximation is poor, or an end that is not positive.
    """
    if len(times) < 4 or end <= 0:
        return None
    return (math.fsum(times) / len(times) / end - 0.5) * math.sqrt(12 * len(times))
