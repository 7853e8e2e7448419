"""Reading others' files: bounded, and with an error that says what to do."""

import hashlib
import stat
from pathlib import Path
from typing import Final

from asi_arch.domain.errors import ArchiveError

MAX_TEXT_BYTES: Final = 200_000_000
_BLOCK: Final = 1 << 20


def read_text(path: Path, what: str) -> tuple[str, str]:
    """The text of a UTF-8 file and its SHA-256; `what` says what it should be. Raises `ArchiveError`."""
    try:
        _require_file(path)
        with path.open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            raise ArchiveError(f"{path} has {path.stat().st_size:,} bytes; {what} may have {MAX_TEXT_BYTES:,}")
        return content.decode("utf-8").removeprefix("\ufeff"), hashlib.sha256(content).hexdigest()
    except IsADirectoryError as error:
        raise ArchiveError(f"{path} is a folder; name {what} in it") from error
    except OSError as error:
        raise ArchiveError(f"{path} can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{path} is not UTF-8 text (byte {error.start}); {what} must be") from error


def hash_of(path: Path) -> str:
    """SHA-256 of a file of any size. Raises `ArchiveError`."""
    digest = hashlib.sha256()
    try:
        _require_file(path)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise ArchiveError(f"{path} can't be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _require_file(path: Path) -> None:
    """Raises `ArchiveError` for a pipe or a device, which might never end."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ArchiveError(f"{path} is not a file but a pipe or a device")
