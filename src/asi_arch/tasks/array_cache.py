"""Arrays kept in a cache folder. A cache may vanish, be unwritable or be damaged: then the arrays are made anew."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def cached(path: Path, names: Collection[str], make: Callable[[], Arrays]) -> Arrays:
    """The arrays stored at `path`, or those that `make` returns, which are stored for the next time.

    A stored file counts only when every array in it can be read (the archive's checksums are verified) and it holds
    exactly `names`. A folder that can't be written is no error.
    """
    found = _load(path)
    if found is not None and sorted(found) == sorted(names):
        return found
    arrays = make()
    with suppress(OSError):
        _save(path, arrays)
    return arrays


def _load(path: Path) -> Arrays | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _DAMAGE:
        return None


def _save(path: Path, arrays: Arrays) -> None:
    """Write beside and rename, so that another process never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
