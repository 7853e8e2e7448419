"""Every tier that contains keeps the same promises, tried from inside by attempts that ship with the program."""

import asyncio
import errno
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from asi_arch.domain.errors import LabError
from asi_arch.domain.outcome import CheckReport, Measured, Run, RunKey
from asi_arch.domain.ports import RunOrder
from asi_arch.domain.profile import StageName
from asi_arch.domain.record import sha256
from asi_arch.lab import parent as lab_parent
from asi_arch.lab import processes
from asi_arch.lab.client import LocalLab
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.sandbox import container, selftest
from asi_arch.lab.sandbox.attempts import LOUD, QUIET
from asi_arch.lab.sandbox.tier import Tier, complaint_about
from asi_arch.mixers import baselines
from asi_arch.settings import load_profile
from asi_arch.tasks.catalog import build_tasks

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]
CONTAINED = [tier for tier in Tier if tier.is_contained]
WITHOUT_LANDLOCK = "container-without-landlock"
"""The kernels that this tier is for: there, a filter of Podman's makes the kernel say that it has no Landlock."""
CASES = [
    *(tier.value for tier in CONTAINED if tier is not Tier.CONTAINER),
    *(pytest.param(case, marks=pytest.mark.slow) for case in (Tier.CONTAINER.value, WITHOUT_LANDLOCK)),
]
MEMORY_MIB = 1500
PROTOCOL = "p"


def require(tier: Tier) -> None:
    """Skips what can't be tested here, which is a failure in CI."""
    if not (complaint := complaint_about(tier)):
        return
    if os.environ.get("CI"):
        pytest.fail(f"the tier '{tier.value}' can't be tested: {complaint}")
    pytest.skip(f"the tier '{tier.value}' is NOT TESTED: {complaint}")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CASES)
async def tier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tier]:
    tier = Tier.CONTAINER if request.param == WITHOUT_LANDLOCK else Tier(request.param)
    require(tier)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == WITHOUT_LANDLOCK:
            filters = tmp_path_factory.mktemp("filter") / "no-landlock.json"
            filters.write_text(json.dumps(NO_LANDLOCK))
            patch.setattr(container, "_FILTER_IS_OURS", f"--security-opt=seccomp={filters}")
        yield tier


NO_LANDLOCK = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [
        {
            "names": ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": errno.ENOSYS,
        }
    ],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parent(tier: Tier, request: pytest.FixtureRequest) -> AsyncIterator[WarmParentHandle]:
    handle = await WarmParentHandle.start("cpu", tier, memory_mib=MEMORY_MIB)
    if WITHOUT_LANDLOCK in request.node.nodeid:
        status = Path(f"/proc/{handle.pid}/status").read_text()
        assert "Seccomp_filters:\t2\n" in status, "Podman's filter, without which there is Landlock, and ours"
    yield handle
    await handle.close()


async def test_every_quiet_attempt_is_refused(parent: WarmParentHandle) -> None:
    trials = await selftest.quiet_trials(parent)
    assert [trial.name for trial in trials] == list(QUIET)
    assert [trial for trial in trials if not trial.is_refused] == []


async def test_every_loud_attempt_is_ended_and_nothing_is_left(parent: WarmParentHandle) -> None:
    trials = await selftest.loud_trials(parent)
    assert len(trials) == len(LOUD) + 1
    assert [trial for trial in trials if not trial.is_refused] == []


@pytest.mark.parametrize(
    "tier",
    [Tier.BUBBLEWRAP, *(pytest.param(tier, marks=pytest.mark.slow) for tier in Tier if tier is not Tier.BUBBLEWRAP)],
)
async def test_a_warm_parent_that_does_not_answer_is_ended_with_all_below_it(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(tier)
    monkeypatch.setattr(lab_parent, "STUCK_S", 0.5)
    handle = await WarmParentHandle.start("cpu", tier)
    try:
        child = await handle.fork()
        below = {handle.pid, child.pid.result(), *processes.descendants(handle.pid)}
        for pid in below:
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(LabError, match="gone"):
            await handle.end(child)
    finally:
        await handle.close()
    for _ in range(100):  # the kernel takes a moment to bury them
        if not any(map(processes.is_alive, below)):
            break
        await asyncio.sleep(0.05)
    assert [pid for pid in below if processes.is_alive(pid)] == []


def _lab(tier: Tier) -> LocalLab:
    profile = load_profile("smoke")
    tasks = build_tasks(profile, Path.home() / ".cache" / "asi-arch")
    reference = baselines.load("delta_net").source
    return LocalLab(profile, tasks, reference_source=reference, protocol=PROTOCOL, tier=tier)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tier: Tier) -> AsyncIterator[LocalLab]:
    found = _lab(tier)
    yield found
    await found.close()
    assert found.containment == tier.value


async def _measure(lab: LocalLab, source: str) -> tuple[CheckReport, Run, bytes]:
    report = await lab.check(source)
    key = RunKey(sha=sha256(source), protocol=PROTOCOL, stage=StageName.LANGUAGE, seed=0)
    run, weights = await lab.run(RunOrder(source=source, key=key, mlp_width=16), lambda _: None)
    return report, run, weights


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def without() -> tuple[CheckReport, Run, bytes]:
    """What is measured where nothing contains."""
    lab = _lab(Tier.NONE)
    try:
        return await _measure(lab, baselines.load("gated_delta_net").source)
    finally:
        await lab.close()


async def test_containment_changes_no_number(lab: LocalLab, without: tuple[CheckReport, Run, bytes]) -> None:
    within = await _measure(lab, baselines.load("gated_delta_net").source)
    assert within[1].outcome == Measured()
    assert within[2] == without[2]
    assert (within[1].losses, within[1].score) == (without[1].losses, without[1].score)
    assert within[0].findings == without[0].findings


WRITER = """import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_idx):
        super().__init__()
        self.project = nn.Linear(hidden_size, hidden_size)

    def forward(self, x):
        torch.save(torch.zeros(3), "left-in-my-folder")
        return self.project(x)
"""


async def test_a_child_may_write_to_its_own_folder_which_is_gone_afterwards(lab: LocalLab) -> None:
    _, run, _ = await _measure(lab, WRITER)
    assert run.outcome == Measured()


COMPILED = WRITER.replace('torch.save(torch.zeros(3), "left-in-my-folder")', "x = self.compiled(x)").replace(
    "        self.project = nn",
    "        self.compiled = torch.compile(lambda x: (x.sin() * x.cos()).tanh())\n        self.project = nn",
)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_torch_compile_works_inside(lab: LocalLab) -> None:
    _, run, _ = await _measure(lab, COMPILED)
    assert run.outcome == Measured()


@pytest.mark.slow
async def test_a_sandbox_with_an_open_door_runs_no_candidate(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "quiet_trials", _one_open_door)
    lab = _lab(tier)
    with pytest.raises(LabError, match=r"sandbox does not hold.*an open door.*asi-arch doctor"):
        await lab.start()
    assert lab.parent_pid is None


async def _one_open_door(_parent: WarmParentHandle) -> list[selftest.Trial]:
    return [selftest.Trial("an open door", False, "gotcha")]


async def test_two_children_have_different_folders_and_the_controller_knows_their_processes(
    parent: WarmParentHandle,
) -> None:
    first, second = await parent.fork(), await parent.fork()
    pids = [child.pid.result() for child in (first, second)]
    assert len(set(pids)) == 2
    assert all(processes.is_alive(pid) for pid in pids)
    assert set(pids) <= processes.descendants(parent.pid)
    await asyncio.gather(parent.end(first), parent.end(second))
    assert not any(processes.is_alive(pid) for pid in pids)


async def test_a_child_has_limits_of_its_own_where_the_kernel_keeps_them(parent: WarmParentHandle) -> None:
    child = await parent.fork_afresh()
    if not parent.limits.startswith("cgroup v2"):
        await parent.end(child)
        pytest.skip(f"NOT TESTED FOR REAL: {parent.limits}")
    groups = Path(f"/proc/{child.pid.result()}/cgroup").read_text().splitlines()
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    own = next(line[3:] for line in groups if line.startswith("0::"))
    leaf = Path(next(line.split()[4] for line in mounts if " - cgroup2 " in line) + own)
    assert leaf.name == f"job-{child.job}"
    assert leaf.is_dir()
    await parent.end(child)
    assert not leaf.exists()
