"""`export` and `generate`: what they refuse without a training, and one walk with trained weights."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from asi_arch.cli import export as exporting
from asi_arch.cli import generate as generating
from asi_arch.cli import speaking
from asi_arch.cli.export import ExportWish
from asi_arch.cli.generate import GenerateWish
from asi_arch.cli.speaking import Continuation, escaped
from asi_arch.domain.errors import AsiArchError, CandidateError, UserError
from asi_arch.domain.outcome import Crashed, Rejected
from asi_arch.domain.profile import StageName
from asi_arch.store.sqlite import SqliteStore
from asi_arch.tasks.spelling import Spelling
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

from .conftest import Run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """#0 with the weights of seed 1 only, #1 without any, #2 rejected."""
    store = SqliteStore.open(tmp_path / "state", clock=lambda: 1.0, owner="test")
    store.create(make_campaign())
    weights = save({"embedding.weight": np.zeros((256, 64), np.float32), "norm.weight": np.ones(64, np.float32)})
    sha = store.put_blob(weights)
    kept = make_experiment(0, make_proposal("kept"))
    runs = [
        run.model_copy(update={"weights": sha}) if (run.key.stage, run.key.seed) == (StageName.LANGUAGE, 1) else run
        for run in kept.runs
    ]
    store.record(kept.model_copy(update={"runs": tuple(runs)}), 0.5)
    store.record(make_experiment(1, make_proposal("forgotten")), 0.4)
    store.record(make_experiment(2, outcome=Rejected(check="future", reason="it looks ahead")), None)
    store.close()
    return tmp_path / "state"


def export_wish(state: Path, which: str, folder: Path, *, seed: int | None = None) -> ExportWish:
    return ExportWish(which, folder, seed, is_forced=False, state=state, as_json=True)


def generate_wish(state: Path | None = None, which: str = "0", **changes: object) -> GenerateWish:
    wish = GenerateWish(which, "import ", 5, 0.0, None, 0, None, state, as_json=True)
    return wish._replace(**changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("which", "seed", "complaint"),
    [
        ("9", None, "no finished experiment '9'"),
        ("1", None, "#1 forgotten has no trained weights: this campaign holds its runs without them"),
        ("2", None, "has no trained weights: Rejected before training by the check 'future'"),
        ("0", 0, "no trained weights of seed 0; --seed may be 1"),
    ],
)
def test_what_has_no_weights_is_refused_with_the_reason(
    state: Path, tmp_path: Path, which: str, seed: int | None, complaint: str
) -> None:
    with pytest.raises(UserError) as told:
        exporting.export(export_wish(state, which, tmp_path / "out", seed=seed))
    assert complaint in str(told.value)
    with pytest.raises(UserError) as told:
        generating.generate(generate_wish(state, which, weights=seed))
    assert complaint.replace("--seed", "--weights") in str(told.value)
    assert not (tmp_path / "out").exists()


def test_an_export_says_what_it_wrote(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exporting.export(export_wish(state, "kept", tmp_path / "out"))
    told = json.loads(capsys.readouterr().out)
    assert (told["experiment"], told["name"], told["seed"], told["is_verified"]) == (0, "kept", 1, False)
    assert sorted(told["bytes"]) == sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"text": ""}, "the text is empty"),
        ({"tokens": 0}, "--tokens must be between 1 and 10,000, got 0"),
        ({"tokens": 10_001}, "--tokens must be between 1 and 10,000, got 10,001"),
        ({"temperature": -0.5}, "--temperature must be 0"),
        ({"temperature": float("nan")}, "--temperature must be 0"),
        ({"top_k": 0}, "--top-k must be at least 1"),
        ({"seed": -1}, "--seed must be 0 or above"),
    ],
)
def test_senseless_wishes_are_refused_before_anything_starts(
    state: Path, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(AsiArchError, match=complaint):
        generating.generate(generate_wish(state, **changes))


def continued(*tokens: int, most: int = 99) -> tuple[Continuation, str]:
    """A continuation that was given these bytes, and what it showed."""
    shown: list[str] = []
    text = Continuation(generate_wish(tokens=most), Spelling(), shown.append)
    for token in tokens:
        if text.choose(np.eye(256)[token]) is None:
            break
    text.end()
    return text, "".join(shown)


def test_only_whole_characters_are_shown_and_none_that_a_terminal_obeys() -> None:
    text, shown = continued(*"a€".encode(), 0x1B, *b"[2J\r\t", 0xFF, 0xE2, 0x82)
    assert text.text == "a€\x1b[2J\r\t\ufffd\ufffd"
    assert shown == "a€\\x1b[2J\\r\t\ufffd\ufffd\n"
    assert escaped("\u202egnp\x9b") == "\\u202egnp\\x9b"


def test_it_ends_with_the_text_or_when_there_is_enough() -> None:
    text, shown = continued(*b"ab\0cd")
    assert (text.has_ended, shown) == (True, "ab\n")
    text, shown = continued(*b"abcd", most=3)
    assert (text.has_ended, shown, text.tokens) == (False, "abc\n", list(b"abc"))


def with_lab(monkeypatch: pytest.MonkeyPatch, lab: FakeLab) -> None:
    @asynccontextmanager
    async def opened(*_: object) -> AsyncGenerator[FakeLab, None]:
        yield lab

    monkeypatch.setattr(speaking, "opened_lab", opened)


def test_text_and_continuation_are_shown_together(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_lab(monkeypatch, FakeLab())
    generating.generate(generate_wish(state, as_json=False))
    assert capsys.readouterr().out == 'import !"#$%\n'
    generating.generate(generate_wish(state, text="\x7e\n", temperature=0.0))
    told = json.loads(capsys.readouterr().out)
    assert (told["text"], told["weights_seed"], told["has_ended"]) == ("\x0b\x0c\r\x0e\x0f", 1, False)


def test_a_candidate_that_fails_is_named_with_its_failure(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakeLab):
        async def continue_text(self, *_: object) -> Crashed:
            return Crashed(stage=StageName.LANGUAGE, reason="ValueError: no")

    with_lab(monkeypatch, Broken())
    with pytest.raises(CandidateError, match=r"#0 kept does not continue the text.*ValueError: no"):
        generating.generate(generate_wish(state))


@pytest.mark.torch
@pytest.mark.slow
def test_a_trained_design_goes_home_and_speaks(asi_arch: Run, undisturbed: Path, tmp_path: Path) -> None:
    done = asi_arch("export", "best", tmp_path / "home", "--state", undisturbed)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "home" / "model.safetensors").stat().st_size > 0
    again = asi_arch("export", "best", tmp_path / "home", "--state", undisturbed)
    assert (again.returncode, "--force replaces it" in again.stderr) == (2, True)
    command = ("generate", "best", "import ", "--tokens", "12", "--state", undisturbed)
    spoken, same = asi_arch(*command), asi_arch(*command, "--json")
    assert spoken.returncode == same.returncode == 0, spoken.stderr + same.stderr
    told = json.loads(same.stdout)
    assert spoken.stdout == escaped("import " + told["text"]) + "\n"
    assert told["has_ended"] or len(told["tokens"]) == 12
    code = (
        "import sys, torch; sys.modules['asi_arch'] = None; sys.path.insert(0, '.')\n"
        "from home.layer import MixerLayer\n"
        "print(MixerLayer(64, 2)(torch.zeros(1, 3, 64))[0].shape)"
    )
    layer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, timeout=120
    )
    assert "torch.Size([1, 3, 64])" in layer.stdout, layer.stderr
