"""What goes wrong with files and databases, in words that say what to do."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from asi_arch.domain.errors import StoreError, StoreFull, StoreLocked

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_PROBE_BYTES = 64 * 1024


@contextmanager
def database_errors(folder: Path) -> Generator[None, None, None]:
    """Turn errors of SQLite into `StoreError` and its kinds."""
    try:
        yield
    except sqlite3.Error as error:
        raise _of_database(error, folder) from error


@contextmanager
def file_errors(folder: Path) -> Generator[None, None, None]:
    """Turn errors of the file system into `StoreError` and its kinds."""
    try:
        yield
    except OSError as error:
        raise _of_files(error, folder) from error


def damaged(folder: Path, what: str) -> StoreError:
    """The error for content that can't be what was written."""
    return StoreError(f"state folder {folder} is damaged: {what}; restore it from a copy, or start in another folder")


def full(folder: Path) -> StoreFull:
    """The error for a disk or quota without space."""
    return StoreFull(
        f"no space left for state folder {folder}; everything finished so far is stored, nothing is lost."
        " Free some space (or raise the quota) and give the same command again"
    )


def _of_database(error: sqlite3.Error, folder: Path) -> StoreError:
    text = str(error)
    if "database or disk is full" in text:
        return full(folder)
    if "disk I/O error" in text and _has_no_space(folder):
        return full(folder)
    if "locked" in text:
        return StoreLocked(
            f"the database of state folder {folder} is locked by another program; close it and try again"
        )
    if "readonly" in text:
        return StoreError(f"state folder {folder} can't be written ({text}); check its permissions")
    if "malformed" in text or "not a database" in text or "Could not decode" in text:
        return damaged(folder, text)
    if "disk I/O error" in text:
        return StoreError(
            f"state folder {folder} can't be used: {text}; everything finished so far is stored. Check the disk and the"
            " limit on the size of files (ulimit -f), then give the same command again"
        )
    return StoreError(f"state folder {folder} can't be used: {text}")


def _of_files(error: OSError, folder: Path) -> StoreError:
    if error.errno in _NO_SPACE:
        return full(folder)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return StoreError(f"state folder {folder} can't be made: {error.filename or folder} is a file; name a folder")
    reason = error.strerror or str(error)
    return StoreError(
        f"state folder {folder} can't be used: {error.filename or folder}: {reason}; choose one that can be written"
    )


def _has_no_space(folder: Path) -> bool:
    """SQLite says 'I/O error' where a quota is used up; only a write tells whether that was the reason."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error.errno in _NO_SPACE
    return False
