import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from asi_arch.domain.campaign import Event, EventKind
from asi_arch.domain.errors import StoreError, StoreMismatch
from asi_arch.domain.experiment import Summary
from asi_arch.store.database import FILE
from asi_arch.store.migrations import MIGRATIONS
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

NOBODY = 65534


def opened(folder: Path, *, read_only: bool = False) -> SqliteStore:
    return SqliteStore.open(folder, clock=lambda: 7.0, owner="test", read_only=read_only)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed store with a campaign and three experiments."""
    store = opened(tmp_path / "state")
    store.create(make_campaign())
    for index in range(3):
        store.record(make_experiment(index), 0.1 * index)
    store.close()
    return tmp_path / "state"


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write everywhere, so give that up for a moment."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    yield
    os.seteuid(before)


def edit(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_record_without_a_proposal_remembers_it_too(folder: Path) -> None:
    store = opened(folder, read_only=True)
    assert store.proposals() == {index: make_experiment(index).proposal for index in range(3)}
    store.close()


def test_a_repaired_proposal_does_not_replace_the_first(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.propose(0, make_proposal("first"))
    store.record(make_experiment(0, make_proposal("repaired")), 0.5)
    assert store.proposals()[0].name == "first"
    assert store.summaries()[0].name == "repaired"
    store.close()


def test_changes_made_together_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(KeyError), store.together():
        store.record(make_experiment(0), 0.5)
        raise KeyError
    assert (store.events(), store.proposals(), store.summaries()) == ([], {}, [])
    with store.together():
        store.record(make_experiment(0), 0.5)
        store.record(make_experiment(1), 0.6)
    assert [event.number for event in store.events()] == [1, 2, 3, 4]
    store.close()


def test_fitness_must_be_a_number(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for value in (float("nan"), float("inf")):
        with pytest.raises(AssertionError, match="finite"):
            store.record(make_experiment(0), value)
    assert store.experiment(0) is None
    store.close()


def test_setting_the_same_fitness_again_adds_no_event(folder: Path) -> None:
    store = opened(folder)
    before = store.events()
    store.set_fitness({0: 0.0, 1: 0.1})
    assert store.events() == before
    store.close()


@pytest.mark.parametrize("table", ["campaign", "event", "proposal", "experiment"])
def test_permanent_rows_can_be_neither_changed_nor_deleted(folder: Path, table: str) -> None:
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = rowid + 100"):
        with pytest.raises(sqlite3.IntegrityError, match="permanent"):
            edit(folder, statement)


def test_another_campaign_is_refused_with_what_differs(folder: Path) -> None:
    store = opened(folder)
    with pytest.raises(StoreMismatch, match=r"other seed\)"):
        store.create(make_campaign(seed=5))
    store.close()


def test_a_newer_schema_is_refused(folder: Path) -> None:
    edit(folder, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    for read_only in (True, False):
        with pytest.raises(StoreMismatch, match="newer asi-arch"):
            opened(folder, read_only=read_only)


def test_an_older_schema_is_read_as_it_is_and_brought_up_to_date_by_a_writer(folder: Path) -> None:
    def all_of_it() -> tuple[list[Summary], list[Event], Event | None]:
        store = opened(folder, read_only=True)
        try:
            return store.summaries(), store.events(), store.last_event(EventKind.CREATED)
        finally:
            store.close()

    def names() -> set[str]:
        with closing(sqlite3.connect(folder / FILE)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}

    before = all_of_it()
    edit(folder, "DROP INDEX event_by_kind", "PRAGMA user_version = 2")
    assert all_of_it() == before
    assert "event_by_kind" not in names()
    opened(folder).close()
    assert all_of_it() == before
    assert "event_by_kind" in names()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    edit(tmp_path, "CREATE TABLE theirs (x)")
    before = (tmp_path / FILE).read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreMismatch, match="not made by asi-arch"):
            opened(tmp_path, read_only=read_only)
    assert (tmp_path / FILE).read_bytes() == before


def test_rubbish_is_called_damaged_and_kept(tmp_path: Path) -> None:
    rubbish = b"this is no database at all, and longer than its header" * 100
    (tmp_path / FILE).write_bytes(rubbish)
    for read_only in (True, False):
        with pytest.raises(StoreError, match="damaged"):
            opened(tmp_path, read_only=read_only)
    assert (tmp_path / FILE).read_bytes() == rubbish


def test_a_row_that_can_not_be_decoded_is_called_damaged(folder: Path) -> None:
    edit(folder, "DROP TRIGGER no_update_of_experiment", "UPDATE experiment SET record = x'00ff' WHERE number = 1")
    store = opened(folder, read_only=True)
    assert store.experiment(0) == make_experiment(0)
    with pytest.raises(StoreError, match="damaged"):
        store.experiment(1)
    store.close()


def test_a_failed_opening_lets_go_of_the_lock(folder: Path) -> None:
    edit(folder, "PRAGMA user_version = 99")
    for _ in range(2):
        with pytest.raises(StoreMismatch):
            opened(folder)


def test_an_empty_store_tells_readers_how_to_start(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with pytest.raises(StoreError, match="asi-arch run"):
        opened(tmp_path, read_only=True)


def test_a_torn_log_tail_costs_at_most_what_it_held(tmp_path: Path) -> None:
    store = opened(tmp_path / "running")
    for index in range(5):
        store.record(make_experiment(index), 0.5)
    copy = shutil.copytree(tmp_path / "running", tmp_path / "copy")
    store.close()
    log = copy / f"{FILE}-wal"
    log.write_bytes(log.read_bytes()[:-5000])
    again = opened(copy)
    finished = list(again.experiments())
    assert finished == [make_experiment(index) for index in range(4)]
    assert [event.number for event in again.events()] == list(range(1, 9))
    again.close()


def test_a_database_copied_without_its_log_can_be_read_without_new_files(tmp_path: Path) -> None:
    store = opened(tmp_path / "running")
    store.record(make_experiment(0), 0.5)
    store._database._connection.execute("PRAGMA wal_checkpoint(FULL)")
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "running" / FILE, tmp_path / "copy" / FILE)
    store.close()
    reader = opened(tmp_path / "copy", read_only=True)
    assert reader.experiment(0) == make_experiment(0)
    reader.close()
    assert [path.name for path in (tmp_path / "copy").iterdir()] == [FILE]


@pytest.fixture
def shut(folder: Path) -> Iterator[Path]:
    """The store where everybody may read and nobody write."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        copy = shutil.copytree(folder, Path(place, "state"))
        for path in (*copy.iterdir(), copy):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield copy
        copy.chmod(0o755)


def test_a_read_only_folder_can_be_read(shut: Path, unprivileged: None) -> None:
    reader = opened(shut, read_only=True)
    assert reader.experiment(2) == make_experiment(2)
    reader.close()


def test_a_read_only_folder_is_refused_for_writing(shut: Path, unprivileged: None) -> None:
    with pytest.raises(StoreError, match=r"Permission denied.*choose one that can be written"):
        opened(shut)


def test_a_store_used_after_closing_says_so(folder: Path) -> None:
    store = opened(folder)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append(EventKind.OPENED)


def test_the_pool_of_many_experiments_is_read_from_an_index(tmp_path: Path) -> None:
    store = opened(tmp_path)
    template, count = make_experiment(0).model_copy(update={"runs": ()}), 3000
    with store.together():
        for index in range(count):
            proposal = template.proposal.model_copy(update={"fingerprint": f"{index:064x}"})
            store.record(template.model_copy(update={"index": index, "proposal": proposal}), (index * 37 % 101) / 101)
    pool, names = store.pool(50, count), store.fingerprints()
    assert (len(pool), len(names)) == (50, count)
    plan = store._database.rows(
        "EXPLAIN QUERY PLAN SELECT number FROM summary INDEXED BY summary_by_fitness"
        " WHERE fitness IS NOT NULL AND number < 9 ORDER BY fitness DESC, number LIMIT 5"
    )
    assert "TEMP B-TREE" not in str(plan)
    store.close()
