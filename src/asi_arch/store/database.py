"""Opening the campaign's database, and transactions on it.

While a writer is at work the database is in WAL mode, so that readers never wait. When the writer closes, it goes back
to a single file: a reader then needs no files beside it and works in a folder that can't be written.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from asi_arch.domain.errors import StoreError, StoreMismatch
from asi_arch.store.blobs import synchronise
from asi_arch.store.failures import damaged, database_errors, file_errors
from asi_arch.store.migrations import MIGRATIONS, WITH_REPAIRS, is_foreign, migrate, version

FILE: Final = "campaign.sqlite3"

_BUSY_S = 10.0
_HEADER_BYTES = 20
_WAL_FORMAT = 2


class Database:
    """One connection, used by one thread. All errors are `StoreError`s."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, *, is_writer: bool) -> None:
        self._folder = folder
        self._connection = connection
        self._is_writer = is_writer

    @classmethod
    def for_writing(cls, folder: Path) -> "Database":
        """Make or open the database, and bring its schema up to date. The caller holds the folder's lock."""
        is_new = not (folder / FILE).exists()
        database = cls(folder, _connected(folder, "rwc"), is_writer=True)
        try:
            database._begin_writing()
        except BaseException:
            database._connection.close()
            raise
        if is_new:
            with file_errors(folder):
                synchronise(folder)
        return database

    @classmethod
    def for_reading(cls, folder: Path) -> "Database":
        """Open an existing database without making or changing any file."""
        with file_errors(folder):
            if not (folder / FILE).is_file():
                raise _nothing_there(folder)
        database = cls(folder, _connected(folder, _reading_mode(folder)), is_writer=False)
        try:
            database._check_schema(oldest=1)
        except BaseException:
            database._connection.close()
            raise
        return database

    @property
    def has_repairs(self) -> bool:
        """False for a database of an earlier version that is only read."""
        return self._version() >= WITH_REPAIRS

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of a query."""
        with database_errors(self._folder):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Everything inside is stored together, or nothing of it. An inner transaction is part of the outer one."""
        if not self._is_writer:
            raise StoreError(f"state folder {self._folder} was opened for reading only")
        with database_errors(self._folder):
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def close(self) -> None:
        """Close; a writer leaves one file behind where no reader is looking."""
        if self._is_writer:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def _begin_writing(self) -> None:
        self._check_schema(oldest=0)
        with database_errors(self._folder):
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
        if self._version() < len(MIGRATIONS):
            with self.transaction() as connection:
                migrate(connection)

    def _check_schema(self, *, oldest: int) -> None:
        with database_errors(self._folder):
            if is_foreign(self._connection):
                raise StoreMismatch(f"{self._folder / FILE} was not made by asi-arch; choose another state folder")
        found = self._version()
        if found > len(MIGRATIONS):
            raise StoreMismatch(
                f"state folder {self._folder} was written by a newer asi-arch (schema {found}, this one knows"
                f" {len(MIGRATIONS)}); update asi-arch"
            )
        if found < oldest:
            raise _nothing_there(self._folder)

    def _version(self) -> int:
        with database_errors(self._folder):
            return version(self._connection)

    def _roll_back(self) -> None:
        # After some errors (a full disk among them) SQLite has rolled back by itself.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _connected(folder: Path, mode: str) -> sqlite3.Connection:
    uri = f"{(folder / FILE).absolute().as_uri()}?{'immutable=1' if mode == 'immutable' else f'mode={mode}'}"
    with database_errors(folder):
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)


def _reading_mode(folder: Path) -> str:
    """'ro', unless SQLite would have to make files for it: a WAL database of which only the main file was copied."""
    with file_errors(folder), (folder / FILE).open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if header and not header.startswith(b"SQLite format 3\0"):
        raise damaged(folder, f"{FILE} is not a database")
    is_wal = len(header) == _HEADER_BYTES and header[-1] == _WAL_FORMAT
    return "immutable" if is_wal and not (folder / f"{FILE}-wal").exists() else "ro"


def _nothing_there(folder: Path) -> StoreError:
    return StoreError(f"there is no campaign in {folder}; start one with: asi-arch run --state {folder}")
