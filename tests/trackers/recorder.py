"""A tracker that remembers what it was told, and fails when it is asked to."""

from asi_arch.domain.experiment import Experiment
from asi_arch.trackers.port import Scored


class Recorder:
    """`Tracker` in memory."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.scored: list[Scored] = []
        self.is_closed = False
        self.failures: list[Exception] = []
        """Raised one after the other, before anything is told."""

    def tell(self, experiment: Experiment) -> None:
        """Remember its number."""
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(experiment.index)

    def score(self, scored: Scored) -> None:
        """Remember it."""
        self.scored.append(scored)

    def close(self) -> None:
        """Remember that."""
        self.is_closed = True
