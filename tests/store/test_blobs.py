import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from asi_arch.domain.errors import StoreError, StoreFull
from asi_arch.domain.record import sha256
from asi_arch.store.blobs import Blobs


def test_a_blob_lies_under_the_first_two_digits_of_its_hash(tmp_path: Path) -> None:
    sha = Blobs(tmp_path).put(b"weights")
    assert (tmp_path / "blobs" / sha[:2] / sha).read_bytes() == b"weights"


def test_a_full_disk_leaves_no_half_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs = Blobs(tmp_path)
    blobs.put(b"earlier")
    with monkeypatch.context() as patch, pytest.raises(StoreFull):
        patch.setattr(os, "fsync", no_space)
        blobs.put(b"weights")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [sha256(b"earlier")]
    assert blobs.get(blobs.put(b"weights")) == b"weights"


def test_a_truncated_blob_is_noticed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha = blobs.put(b"weights")
    (tmp_path / "blobs" / sha[:2] / sha).write_bytes(b"weigh")
    with pytest.raises(StoreError, match="damaged"):
        blobs.get(sha)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "ab", "G" * 64])
def test_a_name_that_is_no_hash_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="64 hexadecimal digits"):
        Blobs(tmp_path).get(name)
