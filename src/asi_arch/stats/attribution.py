"""Which of several changes made at once made the difference: linear effects, shrunk towards zero.

Differences y of N pairs are explained by what was changed in each, X [N, M] (1 added, -1 removed, 0 untouched):

    y = c + X b + e,   b ~ N(0, tau^2),   e ~ N(0, sigma^2)

The constant c takes what all pairs have in common: parents are chosen for a good result, so their children are worse on
average. With y and the columns of X centred, r = tau^2 / sigma^2 is the one of a few ratios under which the differences
are likeliest (empirical Bayes), sigma^2 follows, never below the known noise, and the posterior of b is

    b ~ N(A^-1 X^T y, sigma^2 A^-1),   A = X^T X + I / r

(Lindley and Smith 1972). r = 0, where changes explain nothing, gives effects of exactly zero. No ratio is above 2: a
change of one pair alone is believed by two thirds at most.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATIOS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0)


class Attribution(NamedTuple):
    """Mean and standard deviation of what is believed of each change, [M]."""

    effects: NDArray[np.float64]
    errors: NDArray[np.float64]


def attributed(
    differences: Sequence[float], changes: Sequence[Sequence[float]], *, noise: float = 0.0
) -> Attribution | None:
    """`changes` is [N, M], one row for each of the N differences; `noise` the known standard deviation of one.

    None for fewer than three differences: nothing is left to tell effects from chance.
    """
    if len(differences) < 3:
        return None
    y, x = np.asarray(differences, dtype=np.float64), np.asarray(changes, dtype=np.float64)
    y, x = y - y.mean(), x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(x @ x.T)
    along: NDArray[np.float64] = y @ vectors
    likelihoods = [_log_likelihood(along, values, ratio, noise) for ratio in RATIOS]
    ratio = RATIOS[int(np.argmax(np.round(likelihoods, 9)))]
    variance = _variance(along, values, ratio, noise)
    if ratio == 0.0:
        return Attribution(np.zeros(x.shape[1]), np.full(x.shape[1], np.sqrt(variance)))
    inverse = np.asarray(np.linalg.inv(x.T @ x + np.eye(x.shape[1]) / ratio), dtype=np.float64)
    return Attribution(inverse @ x.T @ y, np.sqrt(variance * inverse.diagonal()))


def _variance(along: NDArray[np.float64], values: NDArray[np.float64], ratio: float, noise: float) -> float:
    """The likeliest sigma^2 at this ratio, with one degree of freedom gone to the constant."""
    found = float((along**2 / (1 + ratio * values)).sum()) / (len(along) - 1)
    return max(found, noise**2, 1e-12)


def _log_likelihood(along: NDArray[np.float64], values: NDArray[np.float64], ratio: float, noise: float) -> float:
    """Up to a constant; of N - 1 differences, as one is gone to the constant c."""
    variance = _variance(along, values, ratio, noise)
    spread = variance * (1 + ratio * values)
    return -0.5 * float((np.log(spread) + along**2 / spread).sum() - np.log(variance))
