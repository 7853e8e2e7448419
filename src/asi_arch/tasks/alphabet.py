"""Token ids that the synthetic tasks share, and the shape in which their rows are made.

    0        BLANK    nothing is said
    1        MARK     an answer phase begins
    2 .. 7            the first token of a row: which task it belongs to
    8 .. 23  KEYS     16 keys, also the symbols that are copied
    24 .. 39 VALUES   16 values
    40 ..    NOISE    everything else, without meaning

All tasks speak the same alphabet, so a model must tell from the first token what a key means in this row.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.ports import NO_TARGET

BLANK = 0
MARK = 1
FIRST_TASK = 2
KEYS = 8
KEY_COUNT = 16
VALUES = KEYS + KEY_COUNT
VALUE_COUNT = 16
NOISE = VALUES + VALUE_COUNT


class Rows(NamedTuple):
    """Inputs and targets [rows, T]. Column 0 is left to the task's own token and never has a target."""

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]


class Shape(NamedTuple):
    """How many rows of which length, over token ids below `vocabulary`."""

    rows: int
    length: int
    vocabulary: int

    def blank(self) -> Rows:
        """Rows in which nothing is said and nothing asked."""
        size = (self.rows, self.length)
        return Rows(np.full(size, BLANK, dtype=np.int32), np.full(size, NO_TARGET, dtype=np.int32))
