from pathlib import Path

import pytest

from asi_arch.domain.errors import UserError
from asi_arch.domain.extras import is_installed
from asi_arch.settings import load_settings
from asi_arch.trackers.targets import Kind, Target, Trackers, parsed, require_trackers


def test_each_tracker_is_named_once_and_paths_are_made_absolute() -> None:
    found = parsed(["tensorboard:runs", "wandb:team/search", "mlflow:https://server:5000"])
    assert found.targets() == (
        Target(Kind.TENSORBOARD, str(Path("runs").absolute())),
        Target(Kind.WANDB, "team/search"),
        Target(Kind.MLFLOW, "https://server:5000"),
    )


def test_none_turns_the_settings_off() -> None:
    assert parsed(["none"]).targets() == () == Trackers().targets()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["comet:x"], "--track must be one of tensorboard:DIR, wandb:PROJECT"),
        (["tensorboard"], "does not say where to; give tensorboard:DIR"),
        (["wandb: "], "does not say where to"),
        (["wandb:a/b/c"], "is no project"),
        (["tensorboard:s3://bucket"], "must name a folder of this machine"),
        (["tensorboard:a", "tensorboard:b"], "was given twice"),
        (["none", "wandb:x"], "--track must be one of"),
        (["mlflow:file:///runs"], "give a folder: mlflow:DIR"),
        (["mlflow:postgresql://me:hunter22@host/db"], "MLFLOW_TRACKING_PASSWORD"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_target_that_can_not_be_is_explained(texts: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")) as error:
        parsed(texts)
    assert "hunter22" not in str(error.value)


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asi_arch.trackers.targets.is_installed", lambda module: module != "wandb")
    with pytest.raises(UserError, match=r"needs the package wandb, .* run: .*\[wandb\]"):
        require_trackers(parsed(["wandb:x"]).targets())


def test_mlflow_in_a_folder_needs_a_database_and_on_a_server_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asi_arch.trackers.targets.is_installed", lambda module: module == "mlflow")
    require_trackers(parsed(["mlflow:https://server"]).targets())
    with pytest.raises(UserError, match="sqlalchemy"):
        require_trackers(parsed(["mlflow:runs"]).targets())


@pytest.mark.parametrize("text", ["tensorboard:/proc/runs", "mlflow:/proc/runs", "mlflow:sqlite:////proc/x/m.db"])
def test_an_unwritable_folder_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("asi_arch.trackers.targets.is_installed", lambda module: True)
    with pytest.raises(UserError, match=r"the folder /proc/\w+ can't be written"):
        require_trackers(parsed([text]).targets())


def test_the_settings_can_turn_trackers_on(tmp_path: Path) -> None:
    folder = tmp_path / "asi-arch"
    folder.mkdir()
    (folder / "settings.toml").write_text('[trackers]\nwandb = "search"\n')
    settings = load_settings({"XDG_CONFIG_HOME": str(tmp_path)})
    assert settings.trackers.targets() == (Target(Kind.WANDB, "search"),)
    (folder / "settings.toml").write_text('[trackers]\ncomet = "search"\n')
    with pytest.raises(UserError, match=r"unknown key 'trackers.comet'"):
        load_settings({"XDG_CONFIG_HOME": str(tmp_path)})


def test_nothing_is_loaded_to_look_whether_it_is_there() -> None:
    assert not is_installed("no_such_tracker")
