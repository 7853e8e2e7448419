"""With real children, whose library is ours: it writes what it is told into a file, hangs, or ends its process."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from asi_arch.trackers import parent
from asi_arch.trackers.following import Bookmark
from asi_arch.trackers.parent import tracking
from asi_arch.trackers.targets import Kind, Target

from .campaigns import Growing

LIBRARY = """
import os, time
class Writer:
    def __init__(self, folder):
        {at_opening}
        self.path = os.path.join({out!r}, os.path.basename(folder))
    def add_scalar(self, tag, value, step, wall_time):
        with open(self.path, "a") as file:
            file.write(f"{{tag}} {{step}}\\n")
    def flush(self): pass
    def close(self): print("this line must not reach the controller", flush=True)
"""


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(Kind.TENSORBOARD, str(tmp_path / "runs"))


def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_opening: str = "pass") -> Path:
    """Make the children load a library of ours; returns the folder that it writes to."""
    package, out = tmp_path / "lib" / "tensorboard", tmp_path / "told"
    package.mkdir(parents=True)
    out.mkdir()
    (package / "__init__.py").touch()
    (package / "summary.py").write_text(LIBRARY.format(at_opening=at_opening, out=str(out)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    return out


async def test_what_is_recorded_meanwhile_is_told_before_the_end(
    campaign: Growing, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, said = library(tmp_path, monkeypatch), list[str]()
    async with tracking(campaign.folder, [target], said.append):
        campaign.grow(8)
    assert said == [f"{target} is told of every recorded experiment"] + [text for text in said if "waiting" in text]
    told = (out / "search").read_text().splitlines()
    assert [line for line in told if "is_measured" in line] == [f"measured/is_measured {n}" for n in range(8)]
    assert json.loads(Bookmark(campaign.folder, target).path.read_text())["told"] == 8


async def test_a_library_that_hangs_is_ended_with_its_process(
    campaign: Growing, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path, monkeypatch, "time.sleep(600)")
    monkeypatch.setattr(parent, "END_S", 1.2)
    campaign.grow(1)
    said: list[str] = []
    started = time.monotonic()
    async with tracking(campaign.folder, [target], said.append):
        pass
    assert time.monotonic() - started < 10
    assert said[-1] == f"{target} did not finish in 1 s; the next run with it tells the rest"


async def test_a_child_that_dies_is_said_and_the_campaign_goes_on(
    campaign: Growing, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path, monkeypatch, "os._exit(9)")
    campaign.grow(1)
    said: list[str] = []
    async with tracking(campaign.folder, [target], said.append):
        while len(said) < 2:
            await asyncio.sleep(0.05)
    assert said[-1] == f"{target}: its process ended (code 9); the campaign goes on, the next run tells it"


async def test_an_error_inside_is_not_held_up(
    campaign: Growing, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path, monkeypatch, "time.sleep(600)")
    monkeypatch.setattr(parent, "_CUT_SHORT_S", 0.1)
    campaign.grow(1)
    with pytest.raises(KeyError):
        async with tracking(campaign.folder, [target], lambda _: None):
            raise KeyError("the campaign's own")


async def test_nothing_is_started_where_nobody_is_to_be_told(tmp_path: Path) -> None:
    async with tracking(tmp_path / "nowhere", (), lambda text: pytest.fail(text)):
        pass
    assert not list(tmp_path.iterdir())
