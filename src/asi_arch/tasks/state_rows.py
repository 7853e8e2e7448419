"""Rows that ask for a state which every token changes."""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from asi_arch.tasks.alphabet import KEYS, Rows, Shape
from asi_arch.tasks.draws import Draws

PERMUTATIONS = tuple(permutations(range(3)))
"""The six elements of S3 in lexicographic order; element number e is written as token KEYS + e."""


def state_tracking(shape: Shape, draws: Draws) -> Rows:
    """Random permutations of three things; asked for at every column: all of them so far, carried out in turn.

    The state after g_1 .. g_t is g_t o ... o g_1. S3 does not commute, so no count of the tokens determines it.
    """
    rows = shape.blank()
    steps = draws.integers(len(PERMUTATIONS), (shape.rows, shape.length - 1))
    rows.inputs[:, 1:] = KEYS + steps
    rows.targets[:, 1:] = KEYS + _running_product(steps)
    return rows


def _product_table() -> NDArray[np.int64]:
    """[6, 6]: entry (a, b) is the number of 'a first, then b', i.e. of i -> b(a(i))."""
    number = {element: index for index, element in enumerate(PERMUTATIONS)}
    return np.array([[number[b[a[0]], b[a[1]], b[a[2]]] for b in PERMUTATIONS] for a in PERMUTATIONS])


_TABLE = _product_table()


def _running_product(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Prefix products by doubling: after round k every column holds the product of its last 2**k steps."""
    product, shift = steps, 1
    while shift < steps.shape[1]:
        product = np.concatenate([product[:, :shift], _TABLE[product[:, :-shift], product[:, shift:]]], axis=1)
        shift *= 2
    return product
