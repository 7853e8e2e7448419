import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import RunOrder
from asi_arch.domain.profile import Profile, Rung, StageName
from asi_arch.domain.record import sha256
from asi_arch.lab import processes
from asi_arch.lab.client import LocalLab
from asi_arch.mixers import baselines
from asi_arch.settings import load_profile
from asi_arch.tasks.catalog import build_tasks

PROTOCOL = "p"
HEAD = """import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_idx):
        super().__init__()
        self.project = nn.Linear(hidden_size, hidden_size)

    def forward(self, x):
"""
MakeOrder = Callable[..., RunOrder]


def mixer(body: str, *, top: str = "") -> str:
    """A candidate whose forward has this body."""
    return top + HEAD + "".join(f"        {line}\n" for line in body.splitlines())


async def left_alive(lab: LocalLab) -> set[int]:
    """Processes below the warm parent that stay, but those that wait for a job."""
    left: set[int] = set()
    for _ in range(60):
        assert lab.parent_pid is not None
        below = processes.descendants(lab.parent_pid)
        left = {pid for pid in below if processes.is_alive(pid)} - lab.spare_pids
        if not left:
            break
        await asyncio.sleep(0.05)
    return left


@pytest.fixture(scope="module")
def profile() -> Profile:
    found = load_profile("smoke")
    watch = found.watch.model_copy(update={"stall_s": 1.5, "rungs": (Rung(fraction=0.4, margin=0.1),)})
    checks = found.checks.model_copy(update={"deadline_s": 6.0})
    return found.model_copy(update={"watch": watch, "checks": checks})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(profile: Profile) -> AsyncIterator[LocalLab]:
    found = LocalLab(
        profile,
        build_tasks(profile, Path.home() / ".cache" / "asi-arch"),
        reference_source=baselines.load("delta_net").source,
        protocol=PROTOCOL,
    )
    await found.start()
    yield found
    await found.close()


@pytest.fixture
def order() -> MakeOrder:
    def make(source: str, *, seed: int = 0, stage: StageName = StageName.LANGUAGE) -> RunOrder:
        key = RunKey(sha=sha256(source), protocol=PROTOCOL, stage=stage, seed=seed)
        return RunOrder(source=source, key=key, mlp_width=16)

    return make
