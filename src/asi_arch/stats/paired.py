"""Comparisons over seeds: the paired t-interval for claims, pooled seed noise for screening."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from asi_arch.domain.errors import UserError
from asi_arch.domain.verdict import Comparison, Interval
from asi_arch.stats.special import t_cdf, t_quantile

_ROUNDING = 1e-12
"""A spread below this share of the values is rounding, not variance."""


class Noise(NamedTuple):
    """Standard deviation between seeds, pooled over models, with its degrees of freedom."""

    std: float
    degrees: int


def paired_comparison(
    candidate: Sequence[float],
    reference: Sequence[float],
    *,
    seeds: Sequence[int],
    baseline: str,
    quantity: str,
    confidence: float = 0.95,
) -> Comparison:
    """Candidate minus baseline on the same seeds: mean difference, t-interval and two-sided p-value.

    t = mean(d) / (std(d) / sqrt(n)) with n - 1 degrees of freedom (Student 1908). Where all differences are equal there
    is no variance to divide by; only their sign is evidence then, and p = 2**(1 - n), the least that n sign flips can
    give. The interval agrees with it: a point where p is small enough, otherwise wide enough to reach zero.

    Raises `UserError` for fewer than two seeds, for values that don't pair up, and for values that aren't finite.
    """
    differences = _differences(candidate, reference, seeds)
    mean, std = _mean_and_std(differences)
    half_width, p_value = t_test(mean, std / math.sqrt(len(differences)), len(differences) - 1, confidence)
    largest = max(abs(value) for value in (*candidate, *reference))
    if std <= _ROUNDING * largest:
        half_width, p_value = _sign_test(mean, len(differences), confidence)
    return Comparison(
        baseline=baseline,
        quantity=quantity,
        seeds=tuple(seeds),
        difference=_interval(mean, half_width, confidence),
        p_value=p_value,
        candidate_mean=sum(candidate) / len(candidate),
        baseline_mean=sum(reference) / len(reference),
        differences=tuple(differences),
    )


def pooled_noise(groups: Iterable[Sequence[float]]) -> Noise | None:
    """Seed noise over models: sqrt(sum_i (n_i - 1) s_i^2 / sum_i (n_i - 1)).

    `groups` holds the values of one model each. None where no model has two values.
    """
    squares, degrees = 0.0, 0
    for group in groups:
        if len(group) > 1:
            centre = sum(group) / len(group)
            squares += sum((value - centre) ** 2 for value in group)
            degrees += len(group) - 1
    return Noise(math.sqrt(squares / degrees), degrees) if degrees else None


def pooled_std(groups: Iterable[Sequence[float]]) -> float | None:
    """The standard deviation of `pooled_noise`."""
    noise = pooled_noise(groups)
    return None if noise is None else noise.std


def mean_interval(values: Sequence[float], noise: Noise, confidence: float = 0.95) -> Interval:
    """The mean of one model's values, with the noise of all models: mean +- t * s / sqrt(n).

    Two seeds say next to nothing about their own spread; the spread of all models together is well known.
    """
    mean = sum(values) / len(values)
    return _interval(mean, _quantile(noise.degrees, confidence) * noise.std / math.sqrt(len(values)), confidence)


def screening_difference(
    candidate: Sequence[float], reference: Sequence[float], noise: Noise, confidence: float = 0.95
) -> Interval:
    """Candidate minus baseline: difference of means +- t * s * sqrt(1/n + 1/m), with pooled noise.

    Unpaired: the same data order does not make held-out differences quieter. For reading a table; a claim needs
    `paired_comparison` on fresh seeds, because the candidate was picked by these very numbers.
    """
    difference = sum(candidate) / len(candidate) - sum(reference) / len(reference)
    return _interval(difference, screening_margin(len(candidate), len(reference), noise, confidence), confidence)


def screening_margin(candidate: int, reference: int, noise: Noise, confidence: float = 0.95) -> float:
    """Half the width of the interval of `screening_difference`, by the numbers of seeds on either side."""
    return _quantile(noise.degrees, confidence) * noise.std * math.sqrt(1 / candidate + 1 / reference)


def t_test(mean: float, error: float, degrees: float, confidence: float) -> tuple[float, float]:
    """Half width of the interval and two-sided p-value of a mean with its standard error."""
    p_value = 2 * t_cdf(degrees, -abs(mean) / error) if error > 0 else 0.0
    return _quantile(degrees, confidence) * error, p_value


def _differences(candidate: Sequence[float], reference: Sequence[float], seeds: Sequence[int]) -> list[float]:
    if len(seeds) < 2:
        raise UserError(f"an interval needs at least 2 seeds, got {len(seeds)}; 4 or more give a useful one")
    if not len(candidate) == len(reference) == len(seeds):
        raise UserError(
            f"pairs need one value per seed: {len(seeds)} seeds, {len(candidate)} of the candidate,"
            f" {len(reference)} of the baseline"
        )
    if not all(math.isfinite(value) for value in (*candidate, *reference)):
        raise UserError(f"values must be finite, got {[*candidate]} and {[*reference]}")
    return [a - b for a, b in zip(candidate, reference, strict=True)]


def _mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _sign_test(mean: float, n: int, confidence: float) -> tuple[float, float]:
    """The same for equal differences."""
    p_value = 1.0 if mean == 0 else 2.0 ** (1 - n)
    return (abs(mean) if p_value > 1 - confidence else 0.0), p_value


def _quantile(degrees: float, confidence: float) -> float:
    return t_quantile(degrees, 0.5 + confidence / 2)


def _interval(mean: float, half_width: float, confidence: float) -> Interval:
    return Interval(estimate=mean, low=mean - half_width, high=mean + half_width, confidence=confidence)
