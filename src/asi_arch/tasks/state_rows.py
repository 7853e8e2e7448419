"""Rows that ask for a state which every token changes."""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from asi_arch.tasks.alphabet import KEYS, Rows, Shape
from asi_arch.tasks.draws import Draws

PERMUTATIONS = tuple(permutations(range(3)))
"""The six elements of S3 in lexicographic order; element number e is written as token KEYS + e."""

IDENTITY = 0
MOVES_IN_16 = (1, 4, 16)
"""How many of 16 columns hold a random element, by row."""


def state_tracking(shape: Shape, draws: Draws) -> Rows:
    """Permutations of three things; asked for at every column: all of them so far, carried out in turn.

    The state after g_1 .. g_t is g_t o ... o g_1. S3 does not commute, so no count of the tokens determines it. The
    first column is a random element; later ones are random with a chance that belongs to the row (1, 1/4 or 1/16) and
    the identity otherwise, so that a row asks for anything between holding a state and composing 63 elements.
    """
    rows = shape.blank()
    columns = (shape.rows, shape.length - 1)
    chance = np.array(MOVES_IN_16)[draws.integers(len(MOVES_IN_16), (shape.rows, 1))]
    is_move = draws.integers(16, columns) < chance
    is_move[:, 0] = True
    steps = np.where(is_move, draws.integers(len(PERMUTATIONS), columns), IDENTITY)
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
