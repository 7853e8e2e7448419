"""The recall stage: one model on a mixture of synthetic tasks."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.errors import ProfileError
from asi_arch.domain.ports import Batch
from asi_arch.domain.profile import RecallStage, Split
from asi_arch.domain.record import canonical_hash
from asi_arch.tasks.alphabet import Rows, Shape
from asi_arch.tasks.draws import Purpose
from asi_arch.tasks.synthetic import GENERATORS, check_task, make_rows

MEMORY_BYTES = 64 << 20
"""Of training batches that are kept: every candidate trains on the same ones, and making one takes 2 ms of a core."""


class RecallTask:
    """A weighted mixture of synthetic tasks, each task a group; groups are in alphabetical order.

    Every training batch holds the same number of rows of each task, in proportion to the shares. Raises
    `ProfileError` for unknown tasks and for lengths, vocabularies and batches that are too small.
    """

    def __init__(self, stage: RecallStage) -> None:
        for name in stage.tasks:
            check_task(name, length=stage.length, vocabulary=stage.vocabulary)
        self._stage = stage
        self._shares = row_shares(stage.tasks, stage.batch)
        self._made: dict[tuple[int, int], Batch] = {}
        self._room = MEMORY_BYTES

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return self._stage.vocabulary

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(self._shares)

    @property
    def fingerprint(self) -> str:
        """Hash of the generators' version and of what decides which rows are made."""
        fields = {"tasks", "length", "vocabulary", "batch", "held_out_per_task"}
        return canonical_hash([GENERATORS, self._stage.model_dump(mode="json", include=fields)])

    @property
    def description(self) -> str:
        """E.g. '6 synthetic tasks of 64 tokens'."""
        count = len(self._shares)
        return f"{count} synthetic {'task' if count == 1 else 'tasks'} of {self._stage.length} tokens"

    def train_batch(self, seed: int, step: int) -> Batch:
        """[batch, length] fresh rows, task after task; read-only.

        The first batches that were asked for are kept, and not the last: a training runs through all of them in order,
        so that those which went out last are asked for last again.
        """
        if made := self._made.get((seed, step)):
            return made
        batch = self._batch(self._shares, Purpose.TRAIN, seed=seed, step=step)
        for array in batch:
            array.flags.writeable = False
        self._room -= sum(array.nbytes for array in batch)
        if self._room >= 0:
            self._made[seed, step] = batch
        return batch

    def held_out(self, split: Split) -> Batch:
        """[tasks * held_out_per_task, length] rows, task after task, from streams that training never sees."""
        return self._batch(dict.fromkeys(self._shares, self._stage.held_out_per_task), Purpose.of(split))

    def documents(self, split: Split) -> NDArray[np.int32]:
        """[tasks * held_out_per_task]: every row is a document of its own."""
        return np.arange(len(self._shares) * self._stage.held_out_per_task, dtype=np.int32)

    def _batch(self, counts: Mapping[str, int], purpose: Purpose, *, seed: int = 0, step: int = 0) -> Batch:
        made = [self._rows(name, count, purpose, (seed, step)) for name, count in counts.items()]
        inputs = np.concatenate([rows.inputs for rows in made])
        targets = np.concatenate([rows.targets for rows in made])
        groups = np.repeat(np.arange(len(counts), dtype=np.int32), list(counts.values()))
        return Batch(inputs, targets, groups)

    def _rows(self, name: str, count: int, purpose: Purpose, at: tuple[int, int]) -> Rows:
        shape = Shape(count, self._stage.length, self._stage.vocabulary)
        return make_rows(name, shape, purpose, seed=at[0], step=at[1])


def row_shares(shares: Mapping[str, float], batch: int) -> dict[str, int]:
    """Rows of each task in a batch by largest remainder (ties to the alphabetically first), names in order.

    The order in which a profile lists its tasks does not matter. Raises `ProfileError` when a task gets no row.
    """
    names, total = sorted(shares), sum(shares.values())
    quotas = {name: shares[name] * batch / total for name in names}
    rows = {name: int(quotas[name]) for name in names}
    by_remainder = sorted(names, key=lambda name: rows[name] - quotas[name])
    for name in by_remainder[: batch - sum(rows.values())]:
        rows[name] += 1
    if starved := [name for name, count in rows.items() if count == 0]:
        raise ProfileError(
            f"recall.batch {batch} leaves no row for {', '.join(starved)}; raise the batch or their shares"
        )
    return rows
