"""Shares and their ratios, with intervals."""

import math

from asi_arch.domain.verdict import Interval
from asi_arch.stats.special import normal_quantile


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """A share with its score interval (Wilson 1927), which is never empty and never leaves [0, 1].

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n). Raises `ValueError` unless
    0 <= successes <= trials and trials > 0.
    """
    _require(successes, trials)
    z, share = normal_quantile(0.5 + confidence / 2), successes / trials
    weight = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / weight
    reach = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / weight
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == trials else min(1.0, centre + reach)
    return Interval(estimate=share, low=low, high=high, confidence=confidence)


def share_ratio(successes: int, trials: int, others: int, other_trials: int, *, confidence: float = 0.95) -> Interval:
    """How many times as frequent something is in one group as in another, with the log interval.

    Half a case is added to every count, so that zeros have a ratio, too (Katz et al. 1978; Walter 1975):
        log ratio = log (a + 1/2) / (n + 1/2) - log (b + 1/2) / (m + 1/2)
        variance  = 1 / (a + 1/2) - 1 / (n + 1/2) + 1 / (b + 1/2) - 1 / (m + 1/2)
    Raises `ValueError` unless both are 0 <= successes <= trials and trials > 0.
    """
    _require(successes, trials)
    _require(others, other_trials)
    a, n, b, m = (count + 0.5 for count in (successes, trials, others, other_trials))
    log_ratio = math.log(a / n) - math.log(b / m)
    reach = normal_quantile(0.5 + confidence / 2) * math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    low, high = math.exp(log_ratio - reach), math.exp(log_ratio + reach)
    return Interval(estimate=math.exp(log_ratio), low=low, high=high, confidence=confidence)


def _require(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"successes lie between 0 and the number of trials, got {successes} of {trials}")
