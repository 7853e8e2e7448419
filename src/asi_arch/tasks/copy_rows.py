"""Rows that ask to say again what was said."""

import numpy as np

from asi_arch.domain.ports import NO_TARGET
from asi_arch.tasks.alphabet import KEY_COUNT, KEYS, MARK, Rows, Shape
from asi_arch.tasks.draws import Draws

COPIED = 8
SEGMENT = 8
COMPRESSED = (4, 6, 8)


def selective_copy(shape: Shape, draws: Draws) -> Rows:
    """8 distinct symbols (of 16) at random places among blanks, MARK, then the same symbols in order.

    While answering, the input is the answer before: at MARK the first symbol is asked for, at the first symbol the
    second, and so on to the last column.
    """
    rows = shape.blank()
    symbols = (KEYS + draws.permutations(shape.rows, KEY_COUNT)[:, :COPIED]).astype(np.int32)
    slots = shape.length - 1 - COPIED
    places = 1 + np.sort(draws.permutations(shape.rows, slots)[:, :COPIED], axis=1)
    np.put_along_axis(rows.inputs, places, symbols, axis=1)
    rows.inputs[:, -COPIED] = MARK
    rows.inputs[:, shape.length - COPIED + 1 :] = symbols[:, :-1]
    rows.targets[:, -COPIED:] = symbols
    return rows


def random_offset_copy(shape: Shape, draws: Draws) -> Rows:
    """Distinct symbols over half of the row, then segments `MARK s s' s'' ...`, each a run from a random place in it.

    Everywhere in a segment but at MARK the symbol that followed the current one is asked for. The distance to it is
    drawn anew for each segment, so no filter with a fixed delay solves the task.
    """
    rows = shape.blank()
    said = copied_symbols(shape)
    symbols = KEYS + draws.permutations(shape.rows, shape.vocabulary - KEYS)[:, :said]
    rows.inputs[:, 1 : 1 + said] = symbols
    columns = np.arange((shape.length - 1 - said) // SEGMENT * SEGMENT)
    starts = draws.integers(said - SEGMENT + 1, (shape.rows, len(columns) // SEGMENT))
    runs = np.take_along_axis(symbols, starts[:, columns // SEGMENT] + columns % SEGMENT, axis=1)
    is_mark, answers = columns % SEGMENT == 0, slice(1 + said, 1 + said + len(columns))
    rows.inputs[:, answers] = np.where(is_mark, MARK, np.roll(runs, 1, axis=1))
    rows.targets[:, answers] = np.where(is_mark, NO_TARGET, runs)
    return rows


def copied_symbols(shape: Shape) -> int:
    """Half of the row, or as many distinct symbols as the vocabulary has."""
    return min((shape.length - 1) // 2, shape.vocabulary - KEYS)


def compression(shape: Shape, draws: Draws) -> Rows:
    """Rounds of n symbols (of 16, with repetition), MARK, n - 1 blanks; n in {4, 6, 8} is fixed within a row.

    At MARK and the blanks the n symbols of this round are asked for in order: all of them must be held at MARK, and
    forgotten afterwards. Columns after the last complete round are blank.
    """
    rows = shape.blank()
    size = np.array(COMPRESSED)[draws.integers(len(COMPRESSED), (shape.rows, 1))]
    symbols = (KEYS + draws.integers(KEY_COUNT, (shape.rows, shape.length - 1))).astype(np.int32)
    columns = np.arange(shape.length - 1)
    phase = columns % (2 * size)
    is_complete = columns < (shape.length - 1) // (2 * size) * 2 * size
    is_said, is_asked = is_complete & (phase < size), is_complete & (phase >= size)
    rows.inputs[:, 1:][is_said] = symbols[is_said]
    rows.inputs[:, 1:][is_complete & (phase == size)] = MARK
    answers = np.take_along_axis(symbols, np.maximum(columns - size, 0), axis=1)
    rows.targets[:, 1:][is_asked] = answers[is_asked]
    return rows
