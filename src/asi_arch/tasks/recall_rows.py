"""Rows that ask for what was said under a key."""

import numpy as np
from numpy.typing import NDArray

from asi_arch.tasks.alphabet import KEY_COUNT, KEYS, NOISE, VALUE_COUNT, VALUES, Rows, Shape
from asi_arch.tasks.draws import Draws

PAIR_COUNTS = (4, 8, 12)
NOISY_PAIRS = 6


def multi_query_recall(shape: Shape, draws: Draws) -> Rows:
    """4, 8 or 12 pairs `key value`, then keys drawn from the told ones to the end of the row.

    Keys are drawn from 16 with repetition, and the latest pair of a key counts: a memory must replace, not only add.
    (With distinct keys and a short convolution, linear attention and DeltaNet are both right in more than 99%.) Values
    are uniform over 16, so guessing is right in 1 of 16 cases.
    """
    rows = shape.blank()
    most = max(PAIR_COUNTS)
    keys, values = draws.integers(KEY_COUNT, (shape.rows, most)), draws.integers(VALUE_COUNT, (shape.rows, most))
    pairs = np.array(PAIR_COUNTS)[draws.integers(len(PAIR_COUNTS), (shape.rows, 1))]
    columns = np.arange(shape.length - 1)
    asked = draws.integers(pairs, (shape.rows, shape.length - 1))
    said = np.minimum(columns // 2, most - 1)[None]
    told = np.where(
        columns % 2 == 0,
        KEYS + np.take_along_axis(keys, said, axis=1),
        VALUES + np.take_along_axis(values, said, axis=1),
    )
    is_query = columns >= 2 * pairs
    rows.inputs[:, 1:] = np.where(is_query, KEYS + np.take_along_axis(keys, asked, axis=1), told)
    latest = np.take_along_axis(_latest(keys, pairs), asked, axis=1)
    rows.targets[:, 1:][is_query] = VALUES + np.take_along_axis(values, latest, axis=1)[is_query]
    return rows


def _latest(keys: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """[rows, pairs]: for every pair the number of the last told one with the same key."""
    places = np.arange(keys.shape[1], dtype=np.int64)
    is_told: NDArray[np.bool_] = places < pairs
    is_same: NDArray[np.bool_] = (keys[:, :, None] == keys[:, None, :]) & is_told[:, None, :]
    return np.where(is_same, places, -1).max(axis=2)


def noisy_recall(shape: Shape, draws: Draws) -> Rows:
    """6 pairs `key value` at random places among noise tokens, then keys over the last quarter of the row.

    A pair is never torn apart; noise is uniform over the ids from 40 up. The answer to a queried key is its value.
    """
    rows = shape.blank()
    keys, values = _pairs(shape.rows, draws)
    queries = noisy_queries(shape.length)
    told = shape.length - 1 - queries
    rows.inputs[:, 1:] = NOISE + draws.integers(shape.vocabulary - NOISE, (shape.rows, shape.length - 1))
    starts = 1 + _scattered_pairs(draws, rows=shape.rows, slots=told - NOISY_PAIRS)
    np.put_along_axis(rows.inputs, starts, keys[:, :NOISY_PAIRS].astype(np.int32), axis=1)
    np.put_along_axis(rows.inputs, starts + 1, values[:, :NOISY_PAIRS].astype(np.int32), axis=1)
    asked = draws.integers(NOISY_PAIRS, (shape.rows, queries))
    rows.inputs[:, -queries:] = np.take_along_axis(keys, asked, axis=1)
    rows.targets[:, -queries:] = np.take_along_axis(values, asked, axis=1)
    return rows


def noisy_queries(length: int) -> int:
    """How many queries end a row of this length."""
    return length // 4


def _pairs(rows: int, draws: Draws) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[rows, 16] distinct keys in random order and their values."""
    return KEYS + draws.permutations(rows, KEY_COUNT), VALUES + draws.integers(VALUE_COUNT, (rows, KEY_COUNT))


def _scattered_pairs(draws: Draws, *, rows: int, slots: int) -> NDArray[np.int64]:
    """[rows, pairs] ascending starts: some of the slots are two tokens wide, and shift those behind them."""
    chosen = np.sort(draws.permutations(rows, slots)[:, :NOISY_PAIRS], axis=1)
    return chosen + np.arange(NOISY_PAIRS)
