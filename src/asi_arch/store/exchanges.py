"""Exchanges with language models in a database of their own: `asi_arch.domain.exchanges.Exchanges` on SQLite.

It lies beside the campaign's database, so that a call's record needs no lock on the campaign: several processes may
write to it, each transaction at a time. Nothing is ever deleted; a settled exchange never changes.

    FOLDER/exchanges.sqlite3
"""

import sqlite3
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from typing_extensions import Self

from asi_arch.domain.errors import StoreError, StoreMismatch
from asi_arch.domain.exchanges import SPOKEN, Charge, Ending, Exchange, Reply, Sent, Settlement
from asi_arch.store.blobs import synchronise
from asi_arch.store.failures import damaged, database_errors, file_errors
from asi_arch.store.migrations import is_foreign
from asi_arch.store.rows import AnyRecord, is_equal, pack, unpack

FILE: Final = "exchanges.sqlite3"
VERSION: Final = 1

_APPLICATION_ID = 0x41534945
_BUSY_S = 10.0
_AT_ONCE = 64
_OPEN = "open"

_SCHEMA = (
    "CREATE TABLE exchange (number INTEGER PRIMARY KEY, at REAL NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL,"
    " state TEXT NOT NULL, calls INTEGER NOT NULL, tokens INTEGER NOT NULL, usd REAL, sent BLOB NOT NULL,"
    " settlement BLOB)",
    "CREATE INDEX exchange_by_key ON exchange (key, number)",
    "CREATE INDEX exchange_by_state ON exchange (state, number) WHERE state = 'open'",
    # The sums behind the budgets are read from these indexes alone.
    "CREATE INDEX exchange_by_time ON exchange (at, calls, tokens, usd)",
    "CREATE INDEX exchange_by_subject ON exchange (subject, at, calls, tokens, usd)",
    "CREATE TRIGGER no_delete_of_exchange BEFORE DELETE ON exchange"
    " BEGIN SELECT RAISE(ABORT, 'exchange is permanent'); END",
    "CREATE TRIGGER no_change_of_exchange BEFORE UPDATE ON exchange"
    " WHEN old.state NOT IN ('open', 'lost') OR old.sent <> new.sent"
    " BEGIN SELECT RAISE(ABORT, 'exchange is permanent'); END",
)


class SqliteExchanges:
    """The record of one state folder; used by the thread that opened it."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """Open the record in `folder`; a writer makes it where it is missing.

        Raises `StoreMismatch` for a file of another program or a newer version, `StoreError` where it can't be used.
        """
        path = folder / FILE
        with file_errors(folder):
            is_new = not path.exists()
            if is_new and read_only:
                raise StoreError(f"{folder} holds no exchanges with language models ({FILE} is missing)")
            if not read_only:
                folder.mkdir(parents=True, exist_ok=True)
        with database_errors(folder):
            uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            record = cls(folder, sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None))
        try:
            record._prepare(is_writer=not read_only)
        except BaseException:
            record._connection.close()
            raise
        if is_new:
            with file_errors(folder):
                synchronise(folder)
        return record

    @contextmanager
    def exclusively(self) -> Generator[None, None, None]:
        """While inside, no other process writes; all of it is stored at the end, or nothing."""
        with database_errors(self._folder):
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # After some errors (a full disk among them) SQLite has rolled back by itself.
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def send(self, sent: Sent) -> int:
        """Record what is about to leave; its number."""
        request, reserved = sent.request, sent.reserved
        columns = (sent.at, request.subject, request.key, _OPEN, *reserved, pack(sent))
        with self.exclusively():
            added = self._connection.execute(
                "INSERT INTO exchange (at, subject, key, state, calls, tokens, usd, sent)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                columns,
            )
        return added.lastrowid or 0

    def settle(self, number: int, settlement: Settlement) -> None:
        """Record the end, once; what was lost may still be found. Raises `StoreError` for another second end."""
        with self.exclusively():
            rows = self._rows("SELECT state, settlement FROM exchange WHERE number = ?", (number,))
            if not rows:
                raise StoreError(f"exchange {number} was never sent")
            state, packed = rows[0]
            if state not in (_OPEN, Ending.LOST.value):
                if not is_equal(self._read(Settlement, packed), settlement):
                    raise StoreError(f"exchange {number} is already settled with another end")
                return
            self._connection.execute(
                "UPDATE exchange SET state = ?, calls = ?, tokens = ?, usd = ?, settlement = ? WHERE number = ?",
                (settlement.reply.ending.value, *settlement.spent, pack(settlement), number),
            )

    def spent(self, *, subject: str | None = None, since: float = 0.0) -> Charge:
        """Everything spent, open exchanges at what they reserved; of one subject, or since a time."""
        bound, values = ("", (since,)) if subject is None else (" AND subject = ?", (since, subject))
        query = f"SELECT total(calls), total(tokens), total(usd) FROM exchange WHERE at >= ?{bound}"
        calls, tokens, usd = self._rows(query, values)[0]
        return Charge(int(calls), int(tokens), float(usd))

    def replies(self, key: str) -> list[Reply]:
        """Replies to the question with this key, oldest first."""
        marks = ", ".join("?" * len(SPOKEN))
        query = f"SELECT settlement FROM exchange WHERE key = ? AND state IN ({marks}) ORDER BY number"
        rows = self._rows(query, (key, *(ending.value for ending in SPOKEN)))
        return [self._read(Settlement, packed).reply for (packed,) in rows]

    def exchanges(self, after: int = 0) -> Iterable[Exchange]:
        """Those with a number above `after`, oldest first, a few at a time."""
        query = f"SELECT number, sent, settlement FROM exchange WHERE number > ? ORDER BY number LIMIT {_AT_ONCE}"
        last = after
        while rows := self._rows(query, (last,)):
            for row in rows:
                yield self._exchange(row)
            last = rows[-1][0]

    def about(self, subject: str) -> list[Exchange]:
        """Those of one subject, oldest first: an experiment's have its index."""
        query = "SELECT number, sent, settlement FROM exchange WHERE subject = ? ORDER BY number"
        return [self._exchange(row) for row in self._rows(query, (subject,))]

    def open_ones(self) -> list[Exchange]:
        """Those without a settlement."""
        rows = self._rows("SELECT number, sent, settlement FROM exchange WHERE state = 'open' ORDER BY number")
        return [self._exchange(row) for row in rows]

    def close(self) -> None:
        """Let go of the file; the last to close leaves one file behind."""
        self._connection.close()

    def _prepare(self, *, is_writer: bool) -> None:
        with database_errors(self._folder):
            found = int(self._connection.execute("PRAGMA application_id").fetchone()[0])
            if found != _APPLICATION_ID and (found or is_foreign(self._connection)):
                raise StoreMismatch(f"{self._folder / FILE} was not made by asi-arch; move it away")
            version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            if version > VERSION:
                raise StoreMismatch(f"{self._folder / FILE} was written by a newer asi-arch; update asi-arch")
            if not is_writer:
                return
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        with self.exclusively():
            if int(self._connection.execute("PRAGMA user_version").fetchone()[0]) < VERSION:
                for statement in (*_SCHEMA, f"PRAGMA application_id = {_APPLICATION_ID}"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        with database_errors(self._folder):
            return self._connection.execute(query, values).fetchall()

    def _exchange(self, row: tuple[int, bytes, bytes | None]) -> Exchange:
        number, sent, settled = row
        settlement = None if settled is None else self._read(Settlement, settled)
        return Exchange(number, self._read(Sent, sent), settlement)

    def _read(self, kind: type[AnyRecord], packed: bytes) -> AnyRecord:
        try:
            return unpack(kind, packed)
        except (ValueError, zlib.error):
            raise damaged(self._folder, f"a record in {FILE} can't be read") from None


def spent_in(folder: Path) -> Charge | None:
    """On minds; None where none was asked in this folder."""
    if not (folder / FILE).is_file():
        return None
    exchanges = SqliteExchanges.open(folder, read_only=True)
    try:
        return exchanges.spent()
    finally:
        exchanges.close()
