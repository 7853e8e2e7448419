"""One walk through every command on the smoke profile, and what candidate files with a mistake are told."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from asi_arch.mixers import baselines
from asi_arch.settings import PROFILES

from .conftest import Run
from .controller import finished_runs

pytestmark = pytest.mark.torch

FORWARD = "    def forward(self, x):\n"
MIXER = f"""import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_idx):
        super().__init__()
        self.project = nn.Linear(hidden_size, hidden_size)

{FORWARD}"""
HONEST = f"{MIXER}        return self.project(x)\n"
SEGFAULT = "torch.sparse_coo_tensor([[10**9]], torch.ones(1), (2,), check_invariants=False).to_dense()"
IN_TRAINING = "if x.shape[:2] == (4, 64):"
"""Batch and length of the smoke profile's recall stage, which no check uses."""
MISTAKES = {
    "syntax.py": (HONEST.replace("(x)\n", "(x\n"), "'(' was never closed (line 11)"),
    "nothing.py": (HONEST.replace("Mixer", "Blender"), "define one: class Mixer(nn.Module)"),
    "double.py": (f"{HONEST}\n\n{HONEST}", "there are 2 classes `Mixer` (lines 5, 18); keep one"),
    "shape.py": (HONEST.replace("(x)\n", "(x)[:, :-1]\n"), "input and output must have the same shape"),
    "raises.py": (f"{MIXER}        return x + unknown\n", "raised NameError at line 11"),
    "segfault.py": (f"{MIXER}        {SEGFAULT}\n        return x\n", "killed by SIGSEGV"),
}
"""By file: its text, and words that its author is told."""


@pytest.fixture
def campaign(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy to write to."""
    return shutil.copytree(undisturbed, tmp_path / "state")


def read(asi_arch: Run, *arguments: str | Path) -> Any:
    """What a command prints as JSON."""
    done = asi_arch(*arguments, "--json", timeout=400)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_campaign_can_be_read_in_every_way(asi_arch: Run, campaign: Path, tmp_path: Path) -> None:
    status = read(asi_arch, "status", "--state", campaign)
    tree = read(asi_arch, "tree", "--state", campaign)
    page = read(asi_arch, "show", "best", "--state", campaign)
    best = read(asi_arch, "best", "--state", campaign)
    assert status["finished"] == len(tree["nodes"]) == 6
    assert best["candidates"][0]["name"] == page["name"]
    report = read(asi_arch, "report", "--state", campaign, "--out", tmp_path / "report", "--figures", "svg")
    assert page["name"] in Path(report["page"]).read_text(encoding="utf-8")
    for command in (("status",), ("show", "best")):
        done = asi_arch(*command, "--state", campaign)
        assert done.returncode == 0, done.stderr
        assert page["name"] in done.stdout
    assert report["figures"]
    assert all(Path(figure).read_text(encoding="utf-8").startswith("<?xml") for figure in report["figures"])
    assert page["name"] in next(Path(table) for table in report["tables"] if table.endswith(".csv")).read_text("utf-8")
    assert Path(report["account"]).read_text("utf-8").startswith("# Account of the campaign")


@pytest.mark.slow
def test_a_second_verification_trains_nothing_new(asi_arch: Run, campaign: Path) -> None:
    command = ("verify", "best", "--seeds", "2", "--against", "delta_net", "--state", campaign)
    before = finished_runs(campaign)
    told = asi_arch(*command, timeout=400)
    assert told.returncode == 0, told.stderr
    assert "difference (95%)" in told.stdout
    assert re.search(r"[+-]\d\.\d{4} \[[+-]\d\.\d{4}, [+-]\d\.\d{4}\]", told.stdout)
    assert "2 seeds give an interval and no claim" in told.stderr
    first = finished_runs(campaign)
    assert len(first) == len(before) + 8
    verdict = read(asi_arch, *command)
    assert [item["quantity"] for item in verdict["comparisons"]] == ["language loss", "recall accuracy"]
    assert all(item["difference"]["low"] <= item["difference"]["high"] for item in verdict["comparisons"])
    assert (verdict["vault_looks"], verdict["vault"]) == (0, None)
    assert finished_runs(campaign) == first


@pytest.mark.slow
def test_every_baseline_passes_the_checks_but_attention(asi_arch: Run) -> None:
    files = sorted(Path(baselines.__file__).parent.glob("[a-z]*.py"))
    done = asi_arch("check", "--profile", "smoke", "--json", *files, timeout=400)
    assert done.returncode == 1, done.stderr
    verdicts = {Path(item["file"]).stem: item["verdict"] for item in json.loads(done.stdout)}
    assert sorted(verdicts) == sorted(baselines.names())
    assert [name for name, verdict in verdicts.items() if verdict != "passed"] == ["softmax_attention"]


@pytest.mark.slow
def test_a_file_is_trained_beside_the_reference(asi_arch: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HONEST)
    mine, reference = read(asi_arch, "train", "mine.py", "--profile", "smoke")
    assert (mine["file"], mine["verdict"], mine["findings"]) == ("mine.py", "measured", [])
    assert (reference["file"], reference["name"], reference["verdict"]) == (None, "DeltaNet", "measured")
    assert len(mine["runs"]) == len(reference["runs"]) == 4


@pytest.mark.slow
def test_a_file_that_raises_in_training_is_told_where(asi_arch: Run, tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(f"{MIXER}        {IN_TRAINING}\n            raise ValueError('too late')\n")
    with (tmp_path / "late.py").open("a") as file:
        file.write("        return self.project(x)\n")
    done = asi_arch("train", "late.py", "--profile", "smoke", timeout=400)
    assert done.returncode == 1, done.stderr
    assert "ValueError: too late" in done.stdout
    assert "line 12" in done.stdout


def test_the_profiles_can_be_listed_and_shown(asi_arch: Run) -> None:
    listed = read(asi_arch, "profiles")
    assert sorted(listed) == sorted(path.stem for path in PROFILES.glob("*.toml"))
    assert read(asi_arch, "profiles", "smoke")["model"] == {"depth": 1, "width": 32, "heads": 1, "mlp_width": 64}


def test_a_file_with_a_mistake_is_rejected_with_what_is_right(asi_arch: Run, tmp_path: Path) -> None:
    for name, (source, _) in MISTAKES.items():
        (tmp_path / name).write_text(source)
    done = asi_arch("check", "--profile", "smoke", "--json", *MISTAKES, timeout=400)
    assert done.returncode == 1, done.stderr
    for item, (name, (_, words)) in zip(json.loads(done.stdout), MISTAKES.items(), strict=True):
        assert (item["file"], item["verdict"]) == (name, "rejected")
        assert words in item["findings"][0]["message"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_training_a_file_with_a_mistake_says_the_same(asi_arch: Run, tmp_path: Path) -> None:
    for name, (source, words) in MISTAKES.items():
        (tmp_path / name).write_text(source)
        done = asi_arch("train", name, "--profile", "smoke", "--json", timeout=400)
        assert done.returncode == 1, done.stderr
        (item,) = json.loads(done.stdout)
        assert (item["file"], item["verdict"], item["runs"]) == (name, "rejected", [])
        assert words in item["findings"][0]["message"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("command", ["check", "train"])
def test_an_endless_loop_is_ended_at_the_deadline(asi_arch: Run, tmp_path: Path, command: str) -> None:
    profile = asi_arch("profiles", "smoke").stdout
    (tmp_path / "short.toml").write_text(profile.replace("[checks]", "[checks]\ndeadline_s = 20.0"))
    (tmp_path / "endless.py").write_text(f"{MIXER}        while True:\n            pass\n")
    done = asi_arch(command, "endless.py", "--profile", "short.toml", "--json", timeout=400)
    assert done.returncode == 1, done.stderr
    (item,) = json.loads(done.stdout)
    assert (item["file"], item["verdict"]) == ("endless.py", "rejected")
    assert "did not end within 20 s: look for an endless" in item["findings"][0]["message"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("body", "verdict"), [("while True:\n                pass", "timed_out"), (SEGFAULT, "crashed")]
)
def test_what_only_goes_wrong_in_training_is_the_files_result(
    asi_arch: Run, tmp_path: Path, body: str, verdict: str
) -> None:
    profile = asi_arch("profiles", "smoke").stdout
    (tmp_path / "short.toml").write_text(profile.replace("[watch]", "[watch]\nstall_s = 20.0"))
    source = f"{MIXER}        {IN_TRAINING}\n            {body}\n        return self.project(x)\n"
    (tmp_path / "late.py").write_text(source)
    done = asi_arch("train", "late.py", "--profile", "short.toml", "--json", timeout=400)
    assert done.returncode == 1, done.stderr
    mine, reference = json.loads(done.stdout)
    assert (mine["verdict"], mine["findings"]) == (verdict, [])
    assert reference["verdict"] == "measured"
