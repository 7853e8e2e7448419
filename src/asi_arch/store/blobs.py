"""Bytes by content. A blob is whole or absent: written beside, synchronised, renamed; reading checks its hash."""

import os
from pathlib import Path

from asi_arch.domain.errors import StoreError
from asi_arch.domain.record import sha256
from asi_arch.store.failures import damaged, file_errors


class Blobs:
    """FOLDER/blobs/ab/abcd... for one writer and any number of readers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder / "blobs"

    def put(self, content: bytes) -> str:
        """Store bytes and return their SHA-256; they are on the disk when this returns. A damaged copy is replaced."""
        sha = sha256(content)
        with file_errors(self._folder):
            path = self._path(sha)
            if not (path.exists() and path.read_bytes() == content):
                self._write(path, content)
            synchronise(path.parent)
        return sha

    def get(self, sha: str) -> bytes:
        """The bytes with this hash. Raises `StoreError` when they are missing or were changed."""
        with file_errors(self._folder):
            try:
                content = self._path(sha).read_bytes()
            except FileNotFoundError:
                raise StoreError(f"state folder {self._folder} has no blob {sha!r}") from None
        if sha256(content) != sha:
            raise damaged(self._folder, f"blob {sha} has other content than its name says")
        return content

    def _write(self, path: Path, content: bytes) -> None:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            synchronise(self._root)
            synchronise(self._folder)
        # There is one writer, so one name is enough, and a killed writer leaves one file at most.
        beside = self._root / "unfinished"
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        beside.replace(path)

    def _path(self, sha: str) -> Path:
        if len(sha) != 64 or not set(sha) <= set("0123456789abcdef"):
            raise StoreError(f"a blob is named by 64 hexadecimal digits, got {sha!r}")
        return self._root / sha[:2] / sha


def synchronise(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
