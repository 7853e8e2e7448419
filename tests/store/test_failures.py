import errno
import sqlite3
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from asi_arch.domain.errors import StoreError, StoreFull, StoreLocked
from asi_arch.store.failures import database_errors, file_errors


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("database or disk is full", StoreFull, "nothing is lost"),
        ("database is locked", StoreLocked, "another program"),
        ("attempt to write a readonly database", StoreError, "can't be written"),
        ("database disk image is malformed", StoreError, "damaged"),
        ("file is not a database", StoreError, "damaged"),
        ("disk I/O error", StoreError, "disk I/O error"),
    ],
)
def test_database_errors_say_what_to_do(tmp_path: Path, text: str, kind: type[StoreError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught, database_errors(tmp_path):
        raise sqlite3.OperationalError(text)
    assert str(tmp_path) in str(caught.value)
    assert type(caught.value) is kind


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_an_input_output_error_on_a_full_disk_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def no_space(*_: object, **__: object) -> NoReturn:
        raise OSError(code, "no space")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_space)
    with pytest.raises(StoreFull), database_errors(tmp_path):
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_file_without_space_is_a_full_disk(tmp_path: Path, code: int) -> None:
    with pytest.raises(StoreFull), file_errors(tmp_path):
        raise OSError(code, "no space")


def test_other_file_errors_name_the_file_and_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="/a/file: Permission denied"), file_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "/a/file")
