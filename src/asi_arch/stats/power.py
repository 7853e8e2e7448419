"""How many seeds a claim needs: power of the two-sided paired t-test from the noncentral t distribution."""

import math

from asi_arch.domain.errors import UserError
from asi_arch.stats.special import noncentral_t_cdf, t_quantile

MOST_SEEDS = 1000
"""What needs more is not worth looking for."""


def power(difference: float, noise: float, seeds: int, *, alpha: float = 0.05) -> float:
    """Probability that a true `difference` is found on that many paired seeds.

    P(|T| > q), q the 1 - alpha / 2 quantile of t with n - 1 degrees, T noncentral t with difference sqrt(n) / noise.
    `noise` is the standard deviation of one paired difference: sqrt(2) times that between seeds where the trainings of
    a pair are independent. Raises `UserError` for fewer than two seeds, a noise or an alpha out of range.
    """
    _require_sound(noise, alpha)
    if seeds < 2:
        raise UserError(f"a paired test needs at least 2 seeds, got {seeds}")
    limit = t_quantile(seeds - 1, 1 - alpha / 2)
    shift = abs(difference) * math.sqrt(seeds) / noise
    upper = 1 - noncentral_t_cdf(seeds - 1, shift, limit)
    # Far below the shift the lower tail underflows to a not-a-number, and is zero.
    lower = noncentral_t_cdf(seeds - 1, shift, -limit)
    return min(1.0, upper + (0.0 if math.isnan(lower) else lower))


def seeds_needed(difference: float, noise: float, *, alpha: float = 0.05, wanted: float = 0.8) -> int | None:
    """The fewest seeds that find `difference` with the `wanted` power; None where `MOST_SEEDS` are too few.

    Raises `UserError` for a power outside of (0, 1), and what `power` raises.
    """
    if not 0 < wanted < 1:
        raise UserError(f"a power lies between 0 and 1, got {wanted}")
    if power(difference, noise, MOST_SEEDS, alpha=alpha) < wanted:
        return None
    low, high = 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(difference, noise, middle, alpha=alpha) >= wanted else (middle, high)
    return high


def _require_sound(noise: float, alpha: float) -> None:
    if not (noise > 0 and math.isfinite(noise)):
        raise UserError(f"noise must be a positive number, got {noise}")
    if not 0 < alpha < 1:
        raise UserError(f"alpha must lie between 0 and 1, got {alpha}")
