"""Many tests at once: how many of the discoveries are false."""

from collections.abc import Sequence


def q_values(p_values: Sequence[float]) -> tuple[float, ...]:
    """Benjamini-Hochberg adjusted p-values, in the order given.

    q_(i) = min over j >= i of p_(j) * m / j, at most 1 (Benjamini & Hochberg 1995). Keeping everything with q <= 0.1
    holds the expected share of false discoveries below 10% for independent or positively dependent tests. `p_values`
    must hold *all* tests that were made, not the promising ones. Raises `ValueError` for values outside [0, 1].
    """
    if not all(0.0 <= p <= 1.0 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1, got {[p for p in p_values if not 0.0 <= p <= 1.0]}")
    count = len(p_values)
    order = sorted(range(count), key=lambda i: p_values[i])
    adjusted, least = [1.0] * count, 1.0
    for rank in range(count, 0, -1):
        position = order[rank - 1]
        least = min(least, p_values[position] * (count / rank))
        adjusted[position] = least
    return tuple(adjusted)
