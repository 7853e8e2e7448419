"""What the engine tells whoever watches. Notices are for display only: nothing depends on them being seen."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import Progress


class Proposed(NamedTuple):
    """An idea has its code."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    proposal: Proposal


class Repaired(NamedTuple):
    """A program that failed was mended; the last of its repairs says why."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    proposal: Proposal


class StageChanged(NamedTuple):
    """An experiment moved on: 'checking', 'reading', 'language', 'recall', 'judging'."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    stage: str


class Trained(NamedTuple):
    """A training gave a sign of life. `baseline_loss` is the reference's at the same seed and step."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    key: RunKey
    progress: Progress
    baseline_loss: float | None


class Recorded(NamedTuple):
    """An experiment is stored for good. `done` counts finished experiments."""

    experiment: Experiment
    fitness: float | None
    done: int


class Rescored(NamedTuple):
    """Fitness of finished experiments is another, because a baseline that it is relative to has been measured since."""

    fitness: Mapping[int, float | None]


class Said(NamedTuple):
    """Something to tell the user in a sentence."""

    text: str


Notice = Proposed | Repaired | StageChanged | Trained | Recorded | Rescored | Said
Listener = Callable[[Notice], None]
