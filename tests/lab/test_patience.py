import asyncio
import time
from collections.abc import Callable

import pytest

from asi_arch.domain.errors import LabError
from asi_arch.lab import parent as lab_parent
from asi_arch.lab import patience, processes
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.patience import comes_in_time


def after(delay_s: float) -> "asyncio.Future[None]":
    return asyncio.ensure_future(asyncio.sleep(delay_s))


def starved(share: float) -> Callable[[], float]:
    began = time.monotonic()
    return lambda: share * (time.monotonic() - began)


async def test_what_is_done_in_time_is_heard_at_once() -> None:
    began = time.monotonic()
    assert await comes_in_time(after(0), 60, lambda: 0.0)
    assert time.monotonic() - began < 30


async def test_silence_with_a_core_to_itself_ends_the_wait_and_cancels_nothing() -> None:
    silent = after(600)
    assert not await comes_in_time(silent, 0.05, lambda: 0.0)
    assert not silent.done()
    silent.cancel()


async def test_time_without_a_core_is_added() -> None:
    began = time.monotonic()
    slow = after(600)
    assert not await comes_in_time(slow, 0.2, starved(0.7))
    assert time.monotonic() - began > 0.4
    slow.cancel()


async def test_time_that_was_waited_before_does_not_count() -> None:
    began = time.monotonic()
    assert not await comes_in_time(asyncio.get_running_loop().create_future(), 0.1, lambda: 1000.0)
    assert time.monotonic() - began < 30


async def test_the_wait_has_an_end_even_without_any_core() -> None:
    began = time.monotonic()
    assert not await comes_in_time(asyncio.get_running_loop().create_future(), 0.05, starved(1.0))
    assert time.monotonic() - began >= 0.25


@pytest.mark.torch
async def test_a_warm_parent_that_the_machine_keeps_waiting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_parent, "START_TIMEOUT_S", 0.05)
    with pytest.raises(LabError, match=r"did not start: it was not ready within 0\.05 s of its own"):
        await WarmParentHandle.start("cpu")
    monkeypatch.setattr(patience, "_MOST_TIMES", 10_000)
    monkeypatch.setattr(processes, "waited_s", lambda _pid: time.monotonic())
    began = time.monotonic()
    handle = await WarmParentHandle.start("cpu")
    took_s = time.monotonic() - began
    assert 0.9 * took_s < handle.cold_start_s <= took_s  # from before Python starts: torch's import is in it
    await handle.close()
