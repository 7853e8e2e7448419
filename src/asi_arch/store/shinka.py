"""Reading the database of ShinkaEvolve (its table `programs`); nothing is ever written to it."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from asi_arch.domain.errors import ArchiveError

_TABLE: Final = "programs"
_REQUIRED: Final = ("id", "code", "combined_score")
_COLUMNS: Final = (
    *_REQUIRED,
    "parent_id",
    "generation",
    "timestamp",
    "public_metrics",
    "private_metrics",
    "text_feedback",
    "correct",
    "island_idx",
    "metadata",
    "archive_inspiration_ids",
    "top_k_inspiration_ids",
)
_MAX_BYTES: Final = 2_000_000_000
_HEADER_BYTES: Final = 20
_WAL_FORMAT: Final = 2
_MAX_CELL_BYTES: Final = 4 << 20
"""Larger descriptions of one program are left unread; its code has a bound of its own."""


def read_programs(path: Path, *, most: int, largest: int) -> list[dict[str, Any]]:
    """All rows, column -> value as it lies there: SQLite keeps no promise about types. A missing column is None.

    More than `most` rows, or a program of more than `largest` bytes, are refused. Raises `ArchiveError` for these and
    for a file that is not such a database.
    """
    try:
        with closing(sqlite3.connect(_address(path), uri=True, isolation_level=None)) as database:
            database.execute("PRAGMA query_only = ON")
            database.execute("PRAGMA trusted_schema = OFF")
            database.text_factory = _text
            columns = _columns(database, path)
            _require_bounds(database, path, most, largest)
            query = ", ".join(_expression(name, columns) for name in _COLUMNS)
            return [
                dict(zip(_COLUMNS, row, strict=True)) for row in database.execute(f"SELECT {query} FROM main.{_TABLE}")
            ]
    except sqlite3.Error as error:
        raise ArchiveError(f"{path} can't be read as a SQLite database: {error}") from error


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _address(path: Path) -> str:
    """For reading; a database of which only the main file was copied is taken for one that nobody changes."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ArchiveError(f"{path} is not a file but a pipe or a device")
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise ArchiveError(f"{path} has {size:,} bytes; a database may have {_MAX_BYTES:,}")
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        is_logged = path.with_name(f"{path.name}-wal").exists()
    except IsADirectoryError as error:
        raise ArchiveError(f"{path} is a folder; name the database in it, e.g. evolution_db.sqlite") from error
    except OSError as error:
        raise ArchiveError(f"{path} can't be read: {error.strerror or error}") from error
    if not header:
        raise ArchiveError(f"{path} is empty; name a database of ShinkaEvolve, e.g. evolution_db.sqlite")
    if not header.startswith(b"SQLite format 3\0"):
        raise ArchiveError(f"{path} is not a SQLite database; name a database of ShinkaEvolve")
    is_wal = len(header) == _HEADER_BYTES and header[-1] == _WAL_FORMAT
    return f"{path.absolute().as_uri()}?{'immutable=1' if is_wal and not is_logged else 'mode=ro'}"


def _columns(database: sqlite3.Connection, path: Path) -> frozenset[str]:
    known = database.execute("SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?", (_TABLE,))
    if known.fetchone() is None:
        raise ArchiveError(f"{path} has no table '{_TABLE}'; name a database of ShinkaEvolve")
    columns = frozenset(str(row[1]) for row in database.execute(f"PRAGMA main.table_info({_TABLE})"))
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise ArchiveError(f"{path}: the table '{_TABLE}' has no column {', '.join(missing)}")
    return columns


def _require_bounds(database: sqlite3.Connection, path: Path, most: int, largest: int) -> None:
    count = int(database.execute(f"SELECT count(*) FROM main.{_TABLE}").fetchone()[0])
    if count == 0:
        raise ArchiveError(f"{path} holds no programs")
    if count > most:
        raise ArchiveError(f"{path} holds {count:,} programs; at most {most:,} can be imported")
    query = f"SELECT rowid, length(CAST(code AS BLOB)) FROM main.{_TABLE} WHERE length(CAST(code AS BLOB)) > ? LIMIT 1"
    found: Iterable[tuple[int, int]] = database.execute(query, (largest,))
    for row, size in found:
        raise ArchiveError(f"{path}: the program in row {row} has {size:,} bytes; a program may have {largest:,}")


def _expression(name: str, columns: frozenset[str]) -> str:
    if name not in columns:
        return "NULL"
    if name in _REQUIRED:
        return name
    return f"CASE WHEN length(CAST({name} AS BLOB)) <= {_MAX_CELL_BYTES} THEN {name} END"
