"""Whether outputs are the same, up to rounding."""

# R rows, T time, D width

from typing import NamedTuple

import torch
from torch import Tensor

_NOTHING = 1e-12
"""Outputs below this size count as zero."""


class Difference(NamedTuple):
    """The largest excess over what rounding explains: where, and how large relative to the output's size."""

    row: int
    position: int
    """The first time step of that row with a difference."""
    size: float
    limit: float


def sizes_over_time(y: Tensor) -> Tensor:
    """What a difference at each time step [R, T] is relative to: the largest output so far, at least the median one.

    A later, larger output does not excuse an earlier difference.
    """
    peaks = y.abs().amax(-1)
    return torch.maximum(peaks.cummax(-1).values, peaks.median(-1, keepdim=True).values)


def difference(
    expected: Tensor,
    seen: Tensor,
    limits: Tensor | float,
    *,
    until: Tensor | None = None,
) -> Difference | None:
    """The worst row whose outputs [R, T, D] differ, or None. `limits` is relative, one for all rows or [R].

    Only time steps before `until` [R] are compared, where given. Equal values are equal even where they are not finite.
    """
    if torch.equal(expected, seen):
        return None
    sizes = sizes_over_time(expected).clamp_min(_NOTHING)
    gap = ((expected - seen).abs().amax(-1) / sizes).double()
    is_equal = ((expected == seen) | (expected.isnan() & seen.isnan())).all(-1)
    gap = gap.nan_to_num(nan=torch.inf).masked_fill(is_equal, 0.0)
    if until is not None:
        gap = gap.masked_fill(torch.arange(gap.shape[1]) >= until[:, None], 0.0)
    bounds = torch.as_tensor(limits, dtype=torch.float64).expand(gap.shape[0])
    excess = gap / bounds[:, None]
    if not (excess > 1).any():
        return None
    row = int(excess.amax(1).argmax())
    position = int((excess[row] > 1).nonzero()[0])
    return Difference(row, position, gap[row].amax().item(), bounds[row].item())
