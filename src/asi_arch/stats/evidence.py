"""Evidence that may be looked at after every seed: the e-process of the t-test with a normal mixture.

For differences x_1, x_2, ... that are normal with unknown variance, and an effect (mean / standard deviation) that is
normal(0, scale^2) under the alternative, the ratio of the densities of the t-statistic is

    E_n = (1 + n c)^(-1/2) [ sum x^2 / (sum x^2 - c (sum x)^2 / (1 + n c)) ]^(n / 2),   c = scale^2

(Gonen et al. 2005, the two-sample t-test's Bayes factor, for one sample; Grunwald, de Heide & Koolen 2024, Safe
testing). *Validity*: x_1/|x_1|, x_2/|x_1|, ... is a maximal invariant under changes of scale, and its law does not
depend on the variance. E_n is the likelihood ratio of that sequence's first n members, the alternative being a mixture,
so it is a nonnegative martingale with E_1 = 1 when the mean is zero. By Ville's inequality (1939)

    P(E_n >= 1 / alpha for any n) <= alpha,

whenever one looks and for whatever reason one stops. A fixed p-value has no such property.
"""

import math
from collections.abc import Sequence


def e_value(differences: Sequence[float], *, scale: float = 1.0) -> float:
    """E_n of the paired differences in the order of their seeds: 1 says nothing, 20 is 'p < 0.05 at any time'.

    Two-sided: the sign of the mean tells the direction. `scale` is the effect looked for, in standard deviations of a
    difference, and must be chosen beforehand. Raises `ValueError` for a scale that is not positive.
    """
    if scale <= 0:
        raise ValueError(f"the scale of the effect is positive, got {scale}")
    count, c = len(differences), scale**2
    largest = max((abs(x) for x in differences), default=0.0)
    if largest == 0:
        return 1.0
    scaled = [x / largest for x in differences]
    squares, total = math.fsum(x * x for x in scaled), math.fsum(scaled)
    ratio = squares / (squares - c * total**2 / (1 + count * c))
    return ratio ** (count / 2) / math.sqrt(1 + count * c)


def always_valid_p(differences: Sequence[float], *, scale: float = 1.0) -> float:
    """The least 1 / E_k of k <= n, at most 1: a p-value at every n at once, and so at any n chosen by the data."""
    best = max((e_value(differences[: k + 1], scale=scale) for k in range(len(differences))), default=1.0)
    return min(1.0, 1 / best)
