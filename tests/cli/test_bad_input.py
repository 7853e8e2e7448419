"""What is wrong is said in a sentence, with a non-zero exit code, and nothing is lost."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import Run

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--experiments", "0"), "--experiments must be at least 1, got 0"),
        (("run", "--experiments", "-3"), "--experiments must be at least 1, got -3"),
        (("run", "--time", "soon"), "--time must be a positive time like 90s"),
        (("run", "--time", "0s"), "--time must be a positive time"),
        (("run", "--policy", "clever"), "--policy must be one of evolution, greedy, random, got 'clever'"),
        (("run", "--profile", "gpu"), "no profile 'gpu'"),
        (("run", "--track", "comet:x"), "--track must be one of tensorboard:DIR, wandb:PROJECT"),
        (("run", "--track", "tensorboard"), "--track tensorboard does not say where to; give tensorboard:DIR"),
        (("run", "--workers", "0"), "--workers must be at least 1, got 0"),
        (("run", "--data", "nowhere"), "nowhere"),
        (("status",), "asi-arch run"),
        (("show", "7"), "asi-arch run"),
        (("verify", "best", "--seeds", "1"), "--seeds must be at least 2, got 1"),
        (("calibrate",), "asi-arch run"),
        (("calibrate", "--seeds", "3"), "--seeds must be 4 to 100, got 3"),
        (("calibrate", "--trials", "0"), "--trials must be at least 1, got 0"),
        (("check", "missing.py"), "missing.py can't be read: No such file"),
        (("check", "."), ". is a folder without candidates; a candidate is a file whose name ends in .py"),
        (("train", "."), "is a folder"),
        (("train", "missing.py"), "can't be read"),
        (("calibrate", "--against", "delta"), "unknown baseline 'delta'; known are delta_net, "),
        (("profiles", "gpu"), "no profile 'gpu'"),
    ],
)
def test_a_wrong_word_is_explained(asi_arch: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = asi_arch(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "campaigns").exists() or not list((tmp_path / "campaigns").rglob("blobs/*"))


def test_an_unknown_profile_key_is_named(asi_arch: Run, tmp_path: Path) -> None:
    text = asi_arch("profiles", "smoke").stdout
    (tmp_path / "mine.toml").write_text(text.replace("[model]", "[model]\ndepht = 3"))
    done = asi_arch("run", "--profile", "mine.toml")
    assert done.returncode == 2
    assert "unknown key 'model.depht'" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(range(256)), "bad.py is not UTF-8 text (byte 128)"),
        ("# größer".encode("latin-1"), "bad.py is not UTF-8 text"),
        (b"\x7fELF" + bytes(4) + b"\xff" * 100, "bad.py is not UTF-8 text"),
        (b"x = 1\n" * 1_700_000, "bad.py has more than the 1,000,000 bytes that a candidate may have"),
    ],
    ids=["binary", "latin-1", "executable", "10 MB"],
)
@pytest.mark.parametrize("command", ["check", "train"])
def test_a_file_that_can_be_no_candidate_is_named(
    asi_arch: Run, tmp_path: Path, command: str, content: bytes, message: str
) -> None:
    (tmp_path / "bad.py").write_bytes(content)
    done = asi_arch(command, "bad.py")
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_folder_is_checked_file_by_file(asi_arch: Run, tmp_path: Path) -> None:
    folder = tmp_path / "ideas"
    folder.mkdir()
    honest = "from torch import nn\n\n\nclass Mixer(nn.Linear):\n"
    honest += "    def __init__(self, hidden_size, num_heads, layer_idx):\n"
    honest += "        super().__init__(hidden_size, hidden_size)\n"
    texts = {"b_honest.py": honest, "a_nothing.py": "", "c_null.py": "x = '\0'\n", "notes.txt": "no candidate"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    done = asi_arch("check", "ideas", "--profile", "smoke", "--json")
    assert done.returncode == 1, done.stderr
    found = {Path(item["file"]).name: item for item in json.loads(done.stdout)}
    assert list(found) == ["a_nothing.py", "b_honest.py", "c_null.py"]
    assert [item["verdict"] for item in found.values()] == ["rejected", "passed", "rejected"]
    assert all(finding["message"] for finding in found["c_null.py"]["findings"])


def test_an_empty_folder_is_no_corpus(asi_arch: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = asi_arch("run", "--profile", "smoke", "--data", "empty")
    assert done.returncode == 2
    assert "empty" in done.stderr


def test_binary_files_are_no_corpus(asi_arch: Run, tmp_path: Path) -> None:
    (tmp_path / "image.txt").write_bytes(bytes(range(256)) * 100)
    done = asi_arch("run", "--profile", "smoke", "--data", "image.txt")
    assert done.returncode == 2
    assert "image.txt" in done.stderr


def test_a_state_folder_that_is_a_file_is_refused(asi_arch: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    done = asi_arch("run", "--profile", "smoke", "--state", "taken")
    assert done.returncode == 2
    assert "taken" in done.stderr
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_state_folder_that_can_not_be_written_is_refused(asi_arch: Run) -> None:
    done = asi_arch("run", "--profile", "smoke", "--state", "/proc/campaign")
    assert done.returncode == 2
    assert "/proc/campaign" in done.stderr


def test_rubbish_in_place_of_a_store_is_refused_and_kept(asi_arch: Run, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "campaign.sqlite3").write_bytes(b"rubbish" * 1000)
    for arguments in (("run", "--profile", "smoke"), ("status",)):
        done = asi_arch(*arguments, "--state", "state")
        assert done.returncode == 2
        assert "campaign.sqlite3" in done.stderr or "state" in done.stderr
        assert "Traceback" not in done.stderr
    assert (folder / "campaign.sqlite3").read_bytes() == b"rubbish" * 1000


@pytest.fixture(scope="module")
def campaign(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished little campaign."""
    return shutil.copytree(undisturbed, tmp_path_factory.mktemp("campaign") / "state")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--profile", "cpu"), "was made with the profile 'smoke'"),
        (("--seed", "5"), "has seed 0, not 5"),
        (("--policy", "random"), "has the policy 'evolution', not 'random'"),
        (("--data", "elsewhere"), "was trained on 'stdlib', not 'elsewhere'"),
    ],
)
def test_a_store_from_another_profile_is_refused(
    asi_arch: Run, campaign: Path, options: tuple[str, ...], message: str
) -> None:
    done = asi_arch("run", *options, "-n", "4", "--state", campaign)
    assert done.returncode == 2
    assert message in done.stderr
    assert "--state" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--profile", "cpu"), "was made with the profile 'smoke'"),
        (("--against", "delta"), "unknown baseline 'delta'"),
        (("--against", "delta_net"), "DeltaNet is the only baseline named"),
    ],
)
def test_a_verification_that_can_not_be_is_refused_before_it_costs_anything(
    asi_arch: Run, campaign: Path, options: tuple[str, ...], message: str
) -> None:
    done = asi_arch("verify", "0", *options, "--state", campaign)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_an_experiment_of_another_protocol_is_not_verified(asi_arch: Run, campaign: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(campaign, copy)
    with closing(sqlite3.connect(copy / "campaign.sqlite3")) as database:
        database.execute("DROP TRIGGER no_update_of_campaign")
        (text,) = database.execute("SELECT record FROM campaign").fetchone()
        database.execute("UPDATE campaign SET record = ?", (json.dumps({**json.loads(text), "data_fingerprint": "0"}),))
        database.commit()
    done = asi_arch("verify", "best", "--state", copy)
    assert done.returncode == 2
    assert "the data have changed under this campaign" in done.stderr


def test_the_same_options_go_on_with_it(asi_arch: Run, campaign: Path) -> None:
    done = asi_arch("run", "--profile", "smoke", "--seed", "0", "-n", "6", "--state", campaign)
    assert done.returncode == 0, done.stderr


def test_a_store_says_when_the_data_have_changed_under_it(asi_arch: Run, campaign: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(campaign, copy)
    with closing(sqlite3.connect(copy / "campaign.sqlite3")) as database:
        database.execute("DROP TRIGGER no_update_of_campaign")
        (text,) = database.execute("SELECT record FROM campaign").fetchone()
        changed = {**json.loads(text), "data_fingerprint": "0" * 64}
        database.execute("UPDATE campaign SET record = ?", (json.dumps(changed),))
        database.commit()
    done = asi_arch("run", "--state", copy, "-n", "7")
    assert done.returncode == 2
    assert "the data have changed under this campaign" in done.stderr
    assert asi_arch("status", "--state", copy).returncode == 0


def test_a_read_only_store_can_be_read(asi_arch: Run, campaign: Path) -> None:
    assert asi_arch("best", "--state", campaign, "--json").returncode == 0


@pytest.mark.parametrize("which", ["99", "nobody"])
def test_an_experiment_that_is_not_there_is_named(asi_arch: Run, campaign: Path, which: str) -> None:
    done = asi_arch("show", which, "--state", campaign)
    assert done.returncode == 2
    assert f"no finished experiment '{which}'; there are 0 to 5" in done.stderr


def test_a_second_controller_is_refused_and_told_who_owns_the_store(asi_arch: Run, campaign: Path) -> None:
    from asi_arch.folders import opened_store

    with opened_store(campaign, read_only=False):
        done = asi_arch("run", "--state", campaign, "-n", "7")
        assert done.returncode == 2
        assert str(os.getpid()) in done.stderr
        assert asi_arch("status", "--state", campaign).returncode == 0
