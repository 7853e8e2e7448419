"""The schema, as the list of steps that led to it. `PRAGMA user_version` counts the steps a database has taken.

Records lie as JSON (large ones compressed) in `record` columns; the columns beside them are what is searched. Rows
that tell what happened can't be changed or deleted, which triggers enforce. `summary` is apart from `experiment` so
that a look over all of them reads no training curves.
"""

import sqlite3
from typing import Final

APPLICATION_ID: Final = 0x41534941
"""Marks our databases among those of other programs ('ASIA')."""

_PERMANENT = ("campaign", "event", "proposal", "run", "experiment", "verdict")

WITH_REPAIRS: Final = 2
"""From this version on there is a table of repairs."""

_TABLES = (
    "CREATE TABLE campaign (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)",
    "CREATE TABLE event (number INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, experiment INTEGER,"
    " payload TEXT NOT NULL)",
    "CREATE TABLE proposal (number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, record BLOB NOT NULL)",
    "CREATE INDEX proposal_by_fingerprint ON proposal (fingerprint, number)",
    "CREATE TABLE run (sha TEXT NOT NULL, protocol TEXT NOT NULL, stage TEXT NOT NULL, seed INTEGER NOT NULL,"
    " split TEXT NOT NULL, record BLOB NOT NULL, UNIQUE (sha, protocol, stage, seed, split))",
    "CREATE TABLE experiment (number INTEGER PRIMARY KEY REFERENCES proposal (number), record BLOB NOT NULL)",
    "CREATE TABLE summary (number INTEGER PRIMARY KEY REFERENCES experiment (number), sha TEXT NOT NULL,"
    " parent INTEGER, name TEXT NOT NULL, author TEXT NOT NULL, outcome TEXT NOT NULL, language_loss REAL,"
    " recall_accuracy REAL, mqar_accuracy REAL, judge REAL, fitness REAL)",
    "CREATE INDEX summary_by_fitness ON summary (fitness DESC, number) WHERE fitness IS NOT NULL",
    "CREATE TABLE verdict (number INTEGER PRIMARY KEY, sha TEXT NOT NULL, record TEXT NOT NULL)",
)

_REPAIRS = (
    "CREATE TABLE repair (number INTEGER NOT NULL REFERENCES proposal (number), step INTEGER NOT NULL,"
    " fingerprint TEXT NOT NULL, record BLOB NOT NULL, PRIMARY KEY (number, step))",
    "CREATE INDEX repair_by_fingerprint ON repair (fingerprint, number)",
)


_EVENTS_BY_KIND = ("CREATE INDEX event_by_kind ON event (kind, number)",)


def _protection(tables: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER no_{verb.lower()}_of_{table} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is permanent'); END"
        for table in tables
        for verb in ("UPDATE", "DELETE")
    )


MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (*_TABLES, *_protection(_PERMANENT)),
    (*_REPAIRS, *_protection(("repair",))),
    _EVENTS_BY_KIND,
)
"""Step n leads from version n to version n + 1. Steps that were released are never edited."""


def version(database: sqlite3.Connection) -> int:
    """How many steps this database has taken; 0 for an empty one."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def is_foreign(database: sqlite3.Connection) -> bool:
    """Whether another program made this database."""
    found = int(database.execute("PRAGMA application_id").fetchone()[0])
    is_empty = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    return found != APPLICATION_ID and not (found == 0 and is_empty)


def migrate(database: sqlite3.Connection) -> None:
    """Take the missing steps, inside the caller's transaction."""
    for statements in MIGRATIONS[version(database) :]:
        for statement in statements:
            database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
