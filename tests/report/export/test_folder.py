import json
import os
import re
from pathlib import Path

import pytest

from asi_arch.domain.errors import UserError
from asi_arch.domain.record import sha256
from asi_arch.report.export.card import TEMPLATES
from asi_arch.report.export.folder import MANIFEST, export_files, write_export

from .conftest import MakeSubject

FILES = {"mixer.py": b"x = 1\n", "tests/test_export.py": b"", MANIFEST: b""}


def small(folder: Path) -> dict[str, bytes]:
    """What the folder holds, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def an_export(make_subject: MakeSubject, folder: Path) -> dict[str, bytes]:
    files = dict(export_files(make_subject()))
    write_export(folder, files, is_forced=False)
    return files


def test_everything_is_written_and_listed_with_its_hash(make_subject: MakeSubject, tmp_path: Path) -> None:
    files = an_export(make_subject, tmp_path / "out")
    assert small(tmp_path / "out") == files
    manifest = json.loads(files[MANIFEST])
    assert manifest["files"] == {name: sha256(content) for name, content in files.items() if name != MANIFEST}
    assert (manifest["experiment"], manifest["name"], manifest["seed"]) == (7, "KeenMixer", 0)
    config = json.loads(files["config.json"])
    assert config["auto_map"]["AutoModelForCausalLM"] == "modeling_asi_arch.AsiArchForCausalLM"
    assert (config["hidden_size"], config["intermediate_size"], config["vocab_size"]) == (32, 24, 256)
    for name, content in files.items():
        if name.endswith(".py"):
            compile(content, name, "exec")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_the_model_imports_every_program_of_the_folder_itself(make_subject: MakeSubject) -> None:
    """Transformers 5.0 and 4.57 copy only what the modelling file imports, and nothing that those import in turn."""
    imported = {
        name: set(re.findall(r"^\s*from \.(\w+) import", content.decode(), flags=re.MULTILINE))
        for name, content in export_files(make_subject()).items()
        if name.endswith(".py") and "/" not in name and name != "__init__.py"
    }
    assert imported["layer.py"] | imported["mixer.py"] <= imported["modeling_asi_arch.py"]
    assert {f"{name}.py" for name in imported["modeling_asi_arch.py"]} == imported.keys() - {"modeling_asi_arch.py"}


def test_an_empty_folder_is_filled(make_subject: MakeSubject, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    an_export(make_subject, tmp_path / "out")
    assert (tmp_path / "out" / "mixer.py").exists()


def test_an_earlier_export_is_replaced_only_when_told(make_subject: MakeSubject, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    files = an_export(make_subject, folder)
    with pytest.raises(UserError, match="--force replaces it"):
        write_export(folder, files, is_forced=False)
    (folder / "tests" / "__pycache__").mkdir()
    (folder / "tests" / "__pycache__" / "x.pyc").write_bytes(b"")
    write_export(folder, files | {"mixer.py": b"y = 2\n"}, is_forced=True)
    assert (folder / "mixer.py").read_bytes() == b"y = 2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_what_somebody_put_there_is_never_lost(make_subject: MakeSubject, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    files = an_export(make_subject, folder)
    (folder / "my_notes.md").write_text("mine")
    with pytest.raises(UserError, match=r"'my_notes\.md', which is not of the export"):
        write_export(folder, files, is_forced=True)
    assert (folder / "my_notes.md").read_text() == "mine"


def test_other_folders_and_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / MANIFEST).write_text('{"format": "something else"}')
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, complaint in (("work", "no export"), ("file", "no folder"), ("link", "no folder")):
        with pytest.raises(UserError, match=complaint):
            write_export(tmp_path / name, FILES, is_forced=True)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="No space left on device"):
        write_export(tmp_path / "out", FILES, is_forced=False)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_exchange_leaves_the_earlier_export(
    make_subject: MakeSubject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, rename = an_export(make_subject, tmp_path / "out"), os.rename

    def failing(source: Path, target: Path) -> None:
        if source.name == "new":
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(UserError, match="Input/output error"):
        write_export(tmp_path / "out", files | {"mixer.py": b""}, is_forced=True)
    assert small(tmp_path / "out") == files


def test_the_licence_is_the_projects() -> None:
    assert (TEMPLATES / "LICENSE").read_bytes() == (Path(__file__).parents[3] / "LICENSE").read_bytes()


def test_a_name_can_not_break_out_of_its_docstring(make_subject: MakeSubject) -> None:
    files = export_files(make_subject(name='"""\nimport os\n"""'))
    text = files["__init__.py"].decode()
    assert text.count('"""') == 2
    compile(text, "__init__.py", "exec")
