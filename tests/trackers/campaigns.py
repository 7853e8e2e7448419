"""Campaigns in a folder, made of arithmetic, that grow as far as a test wants."""

from pathlib import Path

from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.fake_store import FakeStore


class Growing:
    """A state folder to which the experiments of `source` are recorded bit by bit."""

    def __init__(self, folder: Path, source: FakeStore) -> None:
        self.folder = folder
        self.source = source
        self._store = SqliteStore.open(folder, clock=lambda: 1.8e9, owner="the test")
        campaign = source.campaign()
        assert campaign is not None
        self._store.create(campaign)

    def grow(self, count: int) -> None:
        """Record until there are `count`; fitness as the source has it."""
        fitness = {summary.index: summary.fitness for summary in self.source.summaries()}
        for index in range(len(self._store.summaries()), count):
            experiment = self.source.experiment(index)
            assert experiment is not None
            self._store.record(experiment, fitness[index])

    def close(self) -> None:
        """Let go of the folder."""
        self._store.close()
