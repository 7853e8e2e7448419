"""One writer per state folder. The kernel lets go of the lock however the writer ends, so it can't become stale."""

import fcntl
import json
import os
from pathlib import Path

from asi_arch.domain.errors import StoreLocked

LOCKS = Path("/proc/locks")
"""Where Linux lists all locks."""


class FolderLock:
    """Holds FOLDER/lock from construction to `release`; the file says who holds it, as JSON.

    Raises `StoreLocked`, naming the owner, when another process (or another store of this one) holds it.
    """

    def __init__(self, folder: Path, *, owner: str, at: float) -> None:
        # Not inherited by programs that are started (O_CLOEXEC is Python's default), so that a surviving child of a
        # killed controller doesn't keep its folder locked.
        self._file: int = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sign(json.dumps({"owner": owner, "since": at}).encode())
        except BlockingIOError:
            holder = _owner(self._file)
            os.close(self._file)
            raise StoreLocked(
                f"state folder {folder} is in use by {holder}; wait until it ends, stop it, or choose another folder"
            ) from None
        except OSError:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let go; doing it twice does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _sign(self, text: bytes) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text, 0)


def holder(folder: Path) -> str | None:
    """Who writes to the folder now, in words; None where nobody does. Changes nothing and is in no writer's way.

    A lock that is shared for a moment would turn a starting writer away, so the kernel's list is looked at where it is.
    """
    try:
        file = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        return _owner(file) if _is_locked(file) else None
    finally:
        os.close(file)


def _is_locked(file: int) -> bool:
    """By the kernel's list, else by asking for a share of the lock for a moment."""
    inode = f":{os.fstat(file).st_ino}"
    try:
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return not _is_shared(file)
    fields = [line.split() for line in lines]
    return any({"FLOCK", "WRITE"} <= {*words} and any(word.endswith(inode) for word in words) for words in fields)


def _is_shared(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _owner(file: int) -> str:
    """What the holder wrote; it may not have come to write yet."""
    try:
        return str(json.loads(os.pread(file, 4096, 0))["owner"])
    except (ValueError, KeyError, TypeError):
        return "another process"
