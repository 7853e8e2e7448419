"""What is running now, written beside the store for who looks from another process.

    FOLDER/progress.json

For display only: it is written over every second or two, and nothing is ever read from it to go on. Who reads it must
know from the folder's lock whether anybody is still at work.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from asi_arch.domain.record import Record
from asi_arch.engine.notices import (
    Listener,
    Notice,
    Proposed,
    Recorded,
    Repaired,
    Rescored,
    Said,
    StageChanged,
    Trained,
)

FILE: Final = "progress.json"
WRITE_EVERY_S: Final = 1.0


class Training(Record):
    """One training in flight."""

    stage: str
    seed: int
    step: int
    steps: int
    loss_nats: float
    baseline_nats: float | None
    """The reference's at the same seed and step."""
    tokens_per_s: float


class Running(Record):
    """An experiment in flight."""

    index: int
    name: str
    stage: str
    """'waiting', 'checking', 'reading', 'language', 'recall' or 'judging'."""
    since: float
    """Unix time at which it entered the stage."""
    trainings: tuple[Training, ...] = ()


class Now(Record):
    """All experiments in flight."""

    at: float
    """Unix time of writing."""
    running: tuple[Running, ...]


class ProgressFile:
    """Follows notices and writes them down, at most once in `WRITE_EVERY_S`; a folder that is full is let be."""

    def __init__(self, folder: Path, listen: Listener, *, now: Callable[[], float]) -> None:
        """`listen` is told everything first; `now` is Unix time."""
        self._path = folder / FILE
        self._listen = listen
        self._now = now
        self._running: dict[int, Running] = {}
        self._written_at = 0.0

    def listen(self, notice: Notice) -> None:
        """Hand a notice on, and follow it."""
        self._listen(notice)
        if isinstance(notice, Said | Rescored):
            return
        self._follow(notice)
        at = self._now()
        if at - self._written_at >= WRITE_EVERY_S or not isinstance(notice, Trained):
            self._write(Now(at=at, running=tuple(self._running.values())))
            self._written_at = at

    def _follow(self, notice: Proposed | Repaired | StageChanged | Trained | Recorded) -> None:
        if isinstance(notice, Recorded):
            self._running.pop(notice.experiment.index, None)
            return
        known, at = self._running.get(notice.index), self._now()
        if isinstance(notice, Proposed):
            self._running[notice.index] = Running(
                index=notice.index, name=notice.proposal.name, stage="waiting", since=at
            )
        elif known is not None and isinstance(notice, StageChanged):
            self._running[notice.index] = known.model_copy(update={"stage": notice.stage, "since": at, "trainings": ()})
        elif known is not None and isinstance(notice, Trained):
            self._running[notice.index] = known.model_copy(update={"trainings": _with(known.trainings, notice)})

    def _write(self, now: Now) -> None:
        beside = self._path.with_suffix(".part")
        try:
            beside.write_text(now.model_dump_json(), encoding="utf-8")
            os.replace(beside, self._path)
        except OSError:
            return


def read_now(folder: Path) -> Now | None:
    """What was last written; None where nothing readable is there."""
    try:
        return Now.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _with(trainings: tuple[Training, ...], notice: Trained) -> tuple[Training, ...]:
    key, progress = notice.key, notice.progress
    found = Training(
        stage=key.stage.value,
        seed=key.seed,
        step=progress.step,
        steps=progress.steps,
        loss_nats=progress.loss_nats,
        baseline_nats=notice.baseline_loss,
        tokens_per_s=progress.tokens_per_s,
    )
    others = [item for item in trainings if (item.stage, item.seed) != (found.stage, found.seed)]
    return tuple(sorted([*others, found], key=lambda item: (item.stage, item.seed)))
