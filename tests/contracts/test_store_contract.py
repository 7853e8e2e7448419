import sqlite3
from itertools import count
from pathlib import Path

from asi_arch.domain.ports import Store
from asi_arch.store.database import FILE
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.store_contract import DurableStoreContract, StoreContract


class TestFakeStore(StoreContract):
    def open(self, folder: Path, *, owner: str = "test", read_only: bool = False) -> Store:
        return FakeStore()


class TestSqliteStore(DurableStoreContract):
    child = (
        "from asi_arch.store.sqlite import SqliteStore\n"
        "store = SqliteStore.open(folder, clock=lambda: 0.0, owner='a child')"
    )

    def open(self, folder: Path, *, owner: str = "test", read_only: bool = False) -> Store:
        ticks = count(1)
        return SqliteStore.open(folder, clock=lambda: float(next(ticks)), owner=owner, read_only=read_only)

    def fill(self, store: Store) -> None:
        connection = _connection(store)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 12}")

    def free(self, store: Store) -> None:
        _connection(store).execute("PRAGMA max_page_count = 1000000")

    def tear(self, folder: Path) -> None:
        content = (folder / FILE).read_bytes()
        (folder / FILE).write_bytes(content[: len(content) // 2])

    def damage_blob(self, folder: Path, sha: str) -> None:
        path = folder / "blobs" / sha[:2] / sha
        content = bytearray(path.read_bytes())
        content[0] ^= 1
        path.write_bytes(content)


def _connection(store: Store) -> sqlite3.Connection:
    assert isinstance(store, SqliteStore)
    return store._database._connection
