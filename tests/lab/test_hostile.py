"""Candidates that work against the lab, each in one way that was once open."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asi_arch.domain.outcome import Crashed, Measured, Run, TimedOut
from asi_arch.domain.profile import Profile
from asi_arch.lab import processes, watch
from asi_arch.lab.client import LocalLab
from asi_arch.lab.contract import Garbled, decode
from asi_arch.lab.plain import plain_text
from asi_arch.lab.strictness import complaint_about
from asi_arch.mixers import baselines
from asi_arch.tasks.catalog import build_tasks

from .conftest import PROTOCOL, MakeOrder, left_alive, mixer

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]

HONEST = mixer("return self.project(x)")
_OS = "import torch\nos = torch.os\n"
_TIME = "import torch\ntime = torch.utils._pytree.importlib.import_module('time')\n"
_HIDDEN = b'{"kind": "hidden", "cpu_s": 0}'


async def test_a_run_cancelled_while_its_child_is_forked_leaves_nothing(lab: LocalLab, order: MakeOrder) -> None:
    for delay_s in (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016):
        task = asyncio.create_task(lab.run(order(HONEST), lambda _: None))
        await asyncio.sleep(delay_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await left_alive(lab) == set()


async def test_a_child_that_reads_none_of_its_large_batches_is_ended(profile: Profile, order: MakeOrder) -> None:
    language = profile.language.model_copy(update={"batch": 256, "context": 512})
    large = profile.model_copy(update={"language": language})
    lab = LocalLab(
        large,
        build_tasks(large, Path.home() / ".cache" / "asi-arch"),
        reference_source=baselines.load("delta_net").source,
        protocol=PROTOCOL,
    )
    try:
        stuck = order(mixer("return x", top="while True:\n    pass\n"))
        run, _ = await asyncio.wait_for(lab.run(stuck, lambda _: None), 120)
    finally:
        await lab.close()
    assert isinstance(run.outcome, TimedOut)


async def test_a_patched_clock_hides_no_cpu_time(
    lab: LocalLab, order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GRACE_CPU_S", 0.2)
    asked = order(mixer("time.process_time = float\nfor _ in range(10**7): pass\nreturn self.project(x)", top=_TIME))
    quick = Run(key=asked.key, outcome=Measured(), losses=(3.0,) * 6, steps=6, tokens=1, cpu_s=1e-3)
    run, _ = await lab.run(asked._replace(baseline=quick), lambda _: None)
    assert isinstance(run.outcome, TimedOut)
    assert run.outcome.used_s > 0.2


async def test_sets_have_one_order_in_every_lab(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(order(mixer("raise ValueError(hash('name'))")), lambda _: None)
    fixed = subprocess.run(
        [sys.executable, "-c", "print(hash('name'))"],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert isinstance(run.outcome, Crashed)
    assert run.outcome.reason == f"ValueError: {fixed.stdout.strip()}"


# It ends by itself, so that a lab which fails this test leaves nothing for good.
_DAEMON = """if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        time.sleep(20)
    os._exit(0)
time.sleep(20)"""


async def test_a_daemon_does_not_outlive_a_killed_warm_parent(lab: LocalLab, order: MakeOrder) -> None:
    task = asyncio.create_task(lab.run(order(mixer(_DAEMON, top=_OS + _TIME)), lambda _: None))
    while len(_alive_below(lab)) < 2:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    tree = _alive_below(lab)
    assert lab.parent_pid is not None
    os.kill(lab.parent_pid, signal.SIGKILL)
    await task
    assert [pid for pid in tree if processes.is_alive(pid)] == []
    assert await left_alive(lab) == set()


async def test_a_closed_lab_has_ended_in_order(
    profile: Profile, order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "kill_marked", lambda mark: None)
    made = LocalLab(
        profile,
        build_tasks(profile, Path.home() / ".cache" / "asi-arch"),
        reference_source=baselines.load("delta_net").source,
        protocol=PROTOCOL,
    )
    await made.start()
    parent = await made._living_parent()
    task = asyncio.create_task(made.run(order(mixer(_DAEMON, top=_OS + _TIME)), lambda _: None))
    while len(_alive_below(made)) < 2:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    tree = _alive_below(made)
    await parent.close()
    assert parent.last_words == ""
    assert [pid for pid in tree if processes.is_alive(pid)] == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.close()


async def test_a_child_works_in_an_empty_folder_of_its_own(lab: LocalLab, order: MakeOrder) -> None:
    look = "raise ValueError(os.getcwd(), os.listdir('.'), sorted(os.environ))"
    seen: list[str] = []
    for _ in range(2):
        run, _ = await lab.run(order(mixer(look, top=_OS)), lambda _: None)
        assert isinstance(run.outcome, Crashed)
        seen.append(run.outcome.reason)
    assert all("/job-" in reason and "[]" in reason for reason in seen)
    assert seen[0] != seen[1]
    assert "ASI_ARCH" not in seen[0]


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "NONE"])
async def test_arrays_of_a_type_that_numpy_lacks_are_garbled(kind: str) -> None:
    layout = b'{"hidden":{"dtype":"%s","shape":[2],"data_offsets":[0,4]}}' % kind.encode()
    with pytest.raises(Garbled):
        decode(_HIDDEN, len(layout).to_bytes(8, "little") + layout + bytes(4))


async def test_a_childs_words_can_be_shown_and_stored() -> None:
    assert plain_text("\x1b[31mred\x1b[0m \x1b]0;title\x07\ud800\x00\n") == "red \n"
    assert len(plain_text("x" * 1_000_000, 100)) == 100


_SOUND = {"embedding.weight": np.ones((4, 2), np.float32), "norm.weight": np.ones(2, np.float32)}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({}, ""),
        ({"embedding.weight": np.ones((2, 2), np.float32)}, "must have the shape (4, 2), got (2, 2)"),
        ({"norm.weight": np.ones((), np.float32)}, "must have the shape (2,), got ()"),
        ({"blocks.0.gate": np.array([np.nan], np.float32)}, "'blocks.0.gate' is not finite"),
        ({"blocks.0.gate": np.array([1])}, "must be float32, got int64"),
    ],
)
async def test_weights_are_looked_at_before_they_are_used(changes: dict[str, np.ndarray], part: str) -> None:
    found = complaint_about({**_SOUND, **changes}, vocabulary=4, width=2)
    assert part in found
    assert bool(found) == bool(part)


def _alive_below(lab: LocalLab) -> set[int]:
    assert lab.parent_pid is not None
    below = processes.descendants(lab.parent_pid)
    return {pid for pid in below if processes.is_alive(pid)} - lab.spare_pids
