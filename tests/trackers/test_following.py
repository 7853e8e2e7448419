from pathlib import Path

import pytest

from asi_arch.domain.errors import StoreError
from asi_arch.domain.ports import Store
from asi_arch.testing.fake_store import FakeStore
from asi_arch.trackers.following import Bookmark, Follower, untold
from asi_arch.trackers.targets import Kind, Target

from .recorder import Recorder

TARGET = Target(Kind.TENSORBOARD, "/runs")


def first(source: FakeStore, count: int) -> FakeStore:
    """A store with the first experiments of another."""
    store, campaign = FakeStore(), source.campaign()
    assert campaign is not None
    store.create(campaign)
    for summary in source.summaries(before=count):
        experiment = source.experiment(summary.index)
        assert experiment is not None
        store.record(experiment, summary.fitness)
    return store


def caught_up(store: Store, state: Path, tracker: Recorder | None = None) -> Recorder:
    tracker = tracker or Recorder()
    Follower(tracker, Bookmark(state, TARGET)).catch_up(store)
    return tracker


def test_experiments_are_told_in_order_and_scored_once_the_baselines_are_known(
    source: FakeStore, tmp_path: Path
) -> None:
    tracker = caught_up(first(source, 6), tmp_path)
    assert tracker.told == list(range(6)) and tracker.scored == []
    later = caught_up(first(source, 8), tmp_path)
    assert later.told == [6, 7]
    assert [scored.index for scored in later.scored] == list(range(8))
    assert [scored.fitness for scored in later.scored] == [s.fitness for s in source.summaries(before=8)]


def test_what_is_recorded_out_of_order_waits_for_those_before_it(source: FakeStore, tmp_path: Path) -> None:
    store = first(source, 3)
    late = source.experiment(4)
    assert late is not None
    store.record(late, None)
    assert caught_up(store, tmp_path).told == [0, 1, 2]
    assert untold(store, Bookmark(tmp_path, TARGET)) == 1


def test_a_later_session_repeats_nothing(source: FakeStore, tmp_path: Path) -> None:
    caught_up(source, tmp_path)
    again = caught_up(source, tmp_path)
    assert again.told == [] and again.scored == []
    assert untold(source, Bookmark(tmp_path, TARGET)) == 0


def test_a_failure_in_the_middle_keeps_what_was_told_before_it(source: FakeStore, tmp_path: Path) -> None:
    caught_up(first(source, 2), tmp_path)
    broken = Recorder()
    broken.failures.append(OSError("no route"))
    with pytest.raises(OSError, match="no route"):
        caught_up(first(source, 4), tmp_path, broken)
    assert caught_up(first(source, 4), tmp_path).told == [2, 3]


def test_each_target_has_a_place_of_its_own(source: FakeStore, tmp_path: Path) -> None:
    caught_up(source, tmp_path)
    other = Bookmark(tmp_path, Target(Kind.TENSORBOARD, "/elsewhere"))
    assert untold(source, other) == len(source.summaries())


def test_the_best_is_an_invention_and_never_falls(source: FakeStore, tmp_path: Path) -> None:
    best = [scored.best for scored in caught_up(source, tmp_path).scored]
    inventions = [s.fitness for s in source.summaries() if s.author != "baseline" and s.fitness is not None]
    assert best[0] is None and best[-1] == max(inventions)
    known = [value for value in best if value is not None]
    assert known == sorted(known)


def test_a_damaged_bookmark_says_how_to_go_on(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path, TARGET)
    bookmark.path.parent.mkdir()
    bookmark.path.write_text("{")
    with pytest.raises(StoreError, match="remove it, and everything is told again"):
        bookmark.read()
