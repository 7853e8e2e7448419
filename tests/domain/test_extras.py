"""What is installed only on wish."""

from pathlib import Path

import pytest

from asi_arch.domain import extras


def test_a_module_is_installed_or_not() -> None:
    assert extras.is_installed("json")
    assert not extras.is_installed("no_such_package")
    assert not extras.is_installed("no_such_package.inside")


def test_a_clone_is_installed_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_CLONE", tmp_path)
    assert "pip install 'asi-arch[minds]'" in extras.how_to_install("minds")
    (tmp_path / "constraints.txt").touch()
    told = extras.how_to_install("minds")
    assert str(tmp_path) in told
    assert told.endswith("-c constraints.txt -e '.[minds]'")
