"""From the store to one tracker: what it has not been told yet, in order, and how far that has come."""

import fcntl
import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import StoreError
from asi_arch.domain.experiment import Summary
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import Profile
from asi_arch.domain.record import sha256
from asi_arch.search.sampling import Schedule
from asi_arch.trackers.port import Scored, Tracker
from asi_arch.trackers.targets import Target


class Place(NamedTuple):
    """How far a tracker has come: numbers of experiments, those below have been told and scored."""

    told: int = 0
    scored: int = 0


class Bookmark:
    """The place of one target, in STATE/trackers; without the file, everything is told from the start."""

    def __init__(self, state: Path, target: Target) -> None:
        self.path = state / "trackers" / f"{target.kind.value}-{sha256(target.place.encode())[:8]}.json"
        self._target = target

    @contextmanager
    def held(self) -> Generator[None]:
        """Wait until nobody else tells this target, which a killed controller's child may still do for seconds."""
        self.path.parent.mkdir(exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read(self) -> Place:
        """Raises `StoreError` for a file that is no bookmark."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return Place(int(found["told"]), int(found["scored"]))
        except FileNotFoundError:
            return Place()
        except (OSError, ValueError, KeyError, TypeError):
            raise StoreError(f"{self.path} can't be read; remove it, and everything is told again") from None

    def keep(self, place: Place) -> None:
        """Written beside and renamed, so that a kill leaves the old one or the new one."""
        self.path.parent.mkdir(exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps({"target": str(self._target), **place._asdict()}), encoding="utf-8")
        os.replace(beside, self.path)


class Follower:
    """Tells a tracker what the store has recorded, experiment by experiment, and remembers each."""

    def __init__(self, tracker: Tracker, bookmark: Bookmark) -> None:
        self._tracker = tracker
        self._bookmark = bookmark
        self._place = bookmark.read()

    def catch_up(self, store: Store) -> None:
        """Everything that is recorded now. What was told before an error stays told."""
        campaign = store.campaign()
        assert campaign is not None, "a campaign is followed once there is one"
        summaries = {summary.index: summary for summary in store.summaries()}
        is_settled = fitness_is_settled(campaign.profile, summaries)
        while (experiment := store.experiment(self._place.told)) is not None:
            self._tracker.tell(experiment)
            self._move(self._place._replace(told=self._place.told + 1))
            if is_settled:
                self._score(store, summaries)
        if is_settled:
            self._score(store, summaries)

    def _score(self, store: Store, summaries: dict[int, Summary]) -> None:
        while self._place.scored < self._place.told and (summary := summaries.get(self._place.scored)) is not None:
            experiment = store.experiment(summary.index)
            assert experiment is not None, "what has a summary is recorded"
            best = best_below(list(summaries.values()), summary.index + 1)
            self._tracker.score(Scored(summary.index, summary.fitness, best, experiment.finished_at))
            self._move(self._place._replace(scored=summary.index + 1))

    def _move(self, place: Place) -> None:
        self._bookmark.keep(place)
        self._place = place


def is_behind(store: Store, bookmark: Bookmark) -> bool:
    """Whether there is something to tell the target."""
    place, campaign = bookmark.read(), store.campaign()
    summaries = {summary.index: summary for summary in store.summaries()}
    may_score = campaign is not None and fitness_is_settled(campaign.profile, summaries)
    return place.told in summaries or (may_score and place.scored < place.told)


def untold(store: Store, bookmark: Bookmark) -> int:
    """How many recorded experiments the target does not know."""
    told = bookmark.read().told
    return sum(summary.index >= told for summary in store.summaries())


def fitness_is_settled(profile: Profile, summaries: dict[int, Summary]) -> bool:
    """Whether all baselines are recorded: each of them may change every fitness."""
    search = profile.search
    return Schedule(search).baselines_below(2 * len(search.baselines)).keys() <= summaries.keys()


def best_below(summaries: Sequence[Summary], index: int) -> float | None:
    """The highest fitness of an invention with a lower index."""
    found = [
        s.fitness for s in summaries if s.index < index and s.fitness is not None and s.author is not Author.BASELINE
    ]
    return max(found, default=None)
