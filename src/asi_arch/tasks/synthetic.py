"""The synthetic tasks by name: exact generators of rows whose answers follow from what the row has said so far.

For every row and every column t with a target: targets[t] is a function of inputs[0 .. t]. The ids are those of
`asi_arch.tasks.alphabet`; column 0 names the task.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from asi_arch.domain.errors import ProfileError
from asi_arch.domain.experiment import MQAR
from asi_arch.tasks.alphabet import FIRST_TASK, KEYS, NOISE, VALUES, Rows, Shape
from asi_arch.tasks.copy_rows import COMPRESSED, COPIED, SEGMENT, compression, random_offset_copy, selective_copy
from asi_arch.tasks.draws import Draws, Purpose
from asi_arch.tasks.recall_rows import NOISY_PAIRS, PAIR_COUNTS, multi_query_recall, noisy_recall
from asi_arch.tasks.state_rows import PERMUTATIONS, state_tracking

GENERATORS = 2
"""Version of all generators; raised whenever any of them would make another row."""


class Family(NamedTuple):
    """A generator, the token that names it, and the smallest length and vocabulary for which it works."""

    generate: Callable[[Shape, Draws], Rows]
    token: int
    length: int
    vocabulary: int


FAMILIES: Mapping[str, Family] = {
    MQAR: Family(multi_query_recall, FIRST_TASK, 2 * max(PAIR_COUNTS) + 2, NOISE),
    "noisy_recall": Family(noisy_recall, FIRST_TASK + 1, 4 * NOISY_PAIRS, NOISE + 1),
    "selective_copy": Family(selective_copy, FIRST_TASK + 2, 3 * COPIED, VALUES),
    "random_offset_copy": Family(random_offset_copy, FIRST_TASK + 3, 4 * SEGMENT + 1, KEYS + 2 * SEGMENT),
    "state_tracking": Family(state_tracking, FIRST_TASK + 4, 8, KEYS + len(PERMUTATIONS)),
    "compression": Family(compression, FIRST_TASK + 5, 2 * max(COMPRESSED) + 1, VALUES),
}
"""All known tasks. Tokens are never given to another task, so that adding one moves no row of the others."""


def check_task(name: str, *, length: int, vocabulary: int) -> None:
    """Raise `ProfileError` for an unknown task, or one that doesn't fit into this length and vocabulary."""
    if name not in FAMILIES:
        raise ProfileError(f"recall.tasks: unknown task {name!r}; known are {', '.join(FAMILIES)}")
    family = FAMILIES[name]
    if length < family.length:
        raise ProfileError(f"recall.length: {name} needs at least {family.length}, got {length}")
    if vocabulary < family.vocabulary:
        raise ProfileError(f"recall.vocabulary: {name} needs at least {family.vocabulary} ids, got {vocabulary}")


def make_rows(name: str, shape: Shape, purpose: Purpose, *, seed: int = 0, step: int = 0) -> Rows:
    """Rows of one task; equal arguments give equal rows, and no two purposes share a random stream."""
    family = FAMILIES[name]
    rows = family.generate(shape, Draws(f"{name} {GENERATORS}", purpose, seed=seed, step=step))
    rows.inputs[:, 0] = family.token
    return rows
