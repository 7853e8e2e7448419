"""What `asi-arch doctor` tries, beside the composition root because it needs the concrete classes too.

Each examination is done for real: walls are run against, a campaign is killed and resumed. Nothing is asked of a
library that could be tried instead.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from asi_arch.app import chosen_tier
from asi_arch.domain.errors import LabError, UserError
from asi_arch.engine.claim import is_contained
from asi_arch.folders import opened_store
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.sandbox.selftest import Trial, loud_trials, quiet_trials
from asi_arch.lab.sandbox.tier import Tier
from asi_arch.settings import Settings

MEMORY_MIB = 1536
"""What an examined child may hold, so that taking all memory is over soon."""
LEAST_FREE_GIB = 2.0
_CAMPAIGN = 4
"""Experiments of the campaign that is killed and resumed."""
_PATIENCE_S = 180.0


class State(str, Enum):
    """Of one thing that was looked at."""

    GOOD = "good"
    BAD = "bad"
    ABSENT = "absent"
    """Not there, and not needed for everything."""


class Finding(NamedTuple):
    """One line of the report."""

    area: str
    what: str
    state: State
    detail: str


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding after the other, as they come; takes about a minute."""
    yield from _containment(settings)
    yield from _torch(settings)
    yield _disk(settings.state)
    yield _durability()
    yield from _researcher()


def _containment(settings: Settings) -> Iterator[Finding]:
    offer = chosen_tier(settings)
    state = State.GOOD if offer.tier.is_contained else State.BAD
    lessened = () if is_contained(offer.tier.value) else ("nothing that runs in it can be promoted",)
    yield Finding("sandbox", "tier", state, "; ".join((offer.tier.value, *lessened, *offer.missing)))
    examined = asyncio.run(_examined(offer.tier))
    for trial in examined.trials:
        yield Finding("sandbox", trial.name, State.GOOD if trial.is_refused else State.BAD, trial.detail)
    yield Finding("sandbox", "memory and process limits", State.GOOD, examined.limits)


class _Examined(NamedTuple):
    """What a warm parent's children showed."""

    trials: tuple[Trial, ...]
    limits: str


async def _examined(tier: Tier) -> _Examined:
    """Run against the walls of a tier that has some, and see who keeps the limits in any."""
    parent = await WarmParentHandle.start("cpu", tier, memory_mib=MEMORY_MIB)
    try:
        if not tier.is_contained:
            await parent.end(await parent.fork())
            return _Examined((), parent.limits)
        return _Examined((*await quiet_trials(parent), *await loud_trials(parent)), parent.limits)
    finally:
        await parent.close()


_TORCH = """
import json, torch
kernel = ""
if torch.cuda.is_available():
    x = torch.randn(256, 256, device="cuda")
    kernel = torch.cuda.get_device_name() if torch.allclose((x @ x).cpu(), x.cpu() @ x.cpu(), atol=1e-2) else "wrong"
print(json.dumps([torch.__version__, torch.get_num_threads(), kernel]))
"""


def _torch(settings: Settings) -> Iterator[Finding]:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", _TORCH], capture_output=True, text=True, check=False)
    if done.returncode:
        yield Finding("torch", "import", State.BAD, (done.stderr.strip().splitlines() or ["no message"])[-1])
        return
    version, threads, gpu = json.loads(done.stdout.splitlines()[-1])
    yield Finding("torch", "import", State.GOOD, f"{version} in {time.monotonic() - began:.1f} s, {threads} threads")
    yield Finding("torch", "trainings at a time", State.GOOD, f"{settings.workers}, one thread each")
    if not gpu:
        yield Finding("torch", "GPU kernel", State.ABSENT, "no usable NVIDIA GPU; profiles with device 'cpu' run")
    else:
        yield Finding("torch", "GPU kernel", State.BAD if gpu == "wrong" else State.GOOD, gpu)


def _disk(state: Path) -> Finding:
    place = next(folder for folder in (state.absolute(), *state.absolute().parents) if folder.is_dir())
    free_gib = shutil.disk_usage(place).free / 2**30
    if not os.access(place, os.W_OK):
        return Finding("store", "disk", State.BAD, f"{place} can't be written to; choose another folder with --state")
    found = State.GOOD if free_gib >= LEAST_FREE_GIB else State.BAD
    return Finding("store", "disk", found, f"{free_gib:.1f} GiB free below {place}, {LEAST_FREE_GIB:g} are wanted")


def _durability() -> Finding:
    """Kill a campaign with SIGKILL in the middle, resume it, and compare with one that was left alone."""
    with tempfile.TemporaryDirectory(prefix="asi-arch-doctor-") as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        try:
            _campaign(whole)
            _campaign(killed, kill_when=lambda: _recorded(killed) > 0)
            before = _recorded(killed)
            _campaign(killed)
            same = _results(whole) == _results(killed)
        except (UserError, LabError, subprocess.SubprocessError) as error:
            return Finding("store", "kill -9 and resume", State.BAD, str(error))
    told = f"killed after {before} of {_CAMPAIGN} experiments; the end is {'the same' if same else 'another'}"
    return Finding("store", "kill -9 and resume", State.GOOD if same else State.BAD, told)


def _campaign(state: Path, kill_when: Callable[[], bool] | None = None) -> None:
    """Run a campaign of the smoke profile to its end, or until it is killed."""
    command = [sys.executable, "-m", "asi_arch", "run", "--profile", "smoke", "-n", str(_CAMPAIGN), "--plain"]
    with subprocess.Popen([*command, "--state", str(state)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        deadline = time.monotonic() + _PATIENCE_S
        while run.poll() is None:
            if time.monotonic() > deadline:
                run.kill()
                told = f"{_CAMPAIGN} experiments took more than {_PATIENCE_S:.0f} s"
                raise LabError(f"{told}; try again when less else runs")
            if kill_when is not None and kill_when():
                run.kill()
                break
            time.sleep(0.02)
        words = run.stderr.read().decode(errors="replace").strip() if run.stderr else ""
    if run.returncode not in (0, -9) or (kill_when is None and run.returncode):
        raise LabError(f"a campaign of the smoke profile ended with {run.returncode}: {words[-300:]}")


def _recorded(state: Path) -> int:
    if not (state / "campaign.sqlite3").exists():
        return 0
    try:
        with opened_store(state, read_only=True) as store:
            return len(store.summaries())
    except UserError:
        return 0  # it is just being created


def _results(state: Path) -> list[tuple[str, ...]]:
    with opened_store(state, read_only=True) as store:
        return [(e.proposal.sha, *(str(run.score) for run in e.runs)) for e in store.experiments()]


def _researcher() -> Iterator[Finding]:
    yield Finding("researcher", "language model", State.ABSENT, "none is needed; the embedded composer invents")
    yield Finding("researcher", "embedding", State.ABSENT, "none is needed; programs are told apart by fingerprint")
