"""What a reader of a campaign keeps, and how it catches up."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.web.reader import Reader


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = SqliteStore.open(tmp_path, clock=lambda: 5.0, owner="process 12")
    found.create(make_campaign())
    for index in range(3):
        found.record(make_experiment(index, make_proposal(f"p{index}")), None)
    yield found
    found.close()


@pytest.fixture
def reader(store: SqliteStore, tmp_path: Path) -> Iterator[Reader]:
    found = Reader(tmp_path, now=time.time)
    yield found
    found.close()


def test_what_has_not_changed_is_the_same_object(store: SqliteStore, reader: Reader) -> None:
    first = reader.standing()
    assert reader.standing() is first
    store.propose(3, make_proposal("p3"))
    later = reader.standing()
    assert (later.lineage, later.told, later.yardstick) == (first.lineage, first.told, first.yardstick)
    assert later.lineage is first.lineage
    assert (list(later.unfinished), later.number) == ([3], first.number + 1)


def test_what_happened_is_read_and_nothing_else(
    store: SqliteStore, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reader.standing()
    monkeypatch.setattr(SqliteStore, "summaries", None)  # reading all again would fail
    store.append(EventKind.OPENED)
    store.record(make_experiment(7, make_proposal("p7", parent=1)), 0.5)
    store.record(make_experiment(3, make_proposal("p3", parent=1)), None)
    found = reader.standing()
    assert list(found.summaries) == [0, 1, 2, 3, 7]
    assert (found.lineage.children(1), found.summaries[7].fitness) == ([3, 7], 0.5)
    assert found.lifecycle is not None
    assert found.lifecycle.kind is EventKind.OPENED
    assert list(first.summaries) == [0, 1, 2]


def test_a_fitness_that_is_filled_in_later_is_read(store: SqliteStore, reader: Reader) -> None:
    reader.standing()
    store.set_fitness({0: 0.25, 2: 0.75})
    assert [summary.fitness for summary in reader.standing().summaries.values()] == [0.25, None, 0.75]


def test_another_campaign_in_the_same_folder_is_read_afresh(tmp_path: Path) -> None:
    def written(folder: Path, names: str) -> None:
        store = SqliteStore.open(folder, clock=lambda: float(len(names)), owner="process 12")
        store.create(make_campaign(seed=len(names)))
        for index, name in enumerate(names):
            store.record(make_experiment(index, make_proposal(name)), None)
        store.close()

    written(tmp_path / "state", "abcdef")
    reader = Reader(tmp_path / "state", now=time.time)
    digest = reader.digest(20)
    assert digest is not None
    assert (len(reader.standing().summaries), len(digest.lines)) == (6, 6)
    for names in ("uv", "ghijklmnop"):
        shutil.rmtree(tmp_path / "state")
        written(tmp_path / "state", names)
        assert [summary.name for summary in reader.standing().summaries.values()] == list(names)
        digest = reader.digest(20)
        assert digest is not None
        assert [line.summary.name for line in digest.lines] == list(names)
    reader.close()


def test_a_large_campaign_is_read_after_what_the_first_page_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asi_arch.web.reader._SMALL", 4)
    done: list[str] = []
    for count in (4, 5):
        folder = tmp_path / str(count)
        store = SqliteStore.open(folder, clock=lambda: 5.0, owner="process 12")
        store.create(make_campaign())
        for index in range(count):
            store.record(make_experiment(index, make_proposal(f"p{index}")), None)
        store.close()
        reader = Reader(folder, now=time.time)
        reader.when_read(lambda digest: done.append(f"read {len(digest.lines)}"))
        reader.begin(lambda: done.append("beforehand"))
        reader.begin(lambda: done.append("never")).result(20)
        reader.when_read(lambda digest: done.append(f"again {len(digest.lines)}"))
        assert reader.digest(20) is not None
        reader.close()
    assert done == ["read 4", "again 4", "beforehand", "read 5", "again 5"]
