"""The one owner of retries. Libraries below have theirs switched off.

A service that is down is asked by one caller at a time: the others stand behind it, so that its return is met by a
queue and not by a storm.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Final, TypeVar

from asi_arch.domain.minds import MindUnavailable
from asi_arch.llm.backend import Transient

FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0
_LATEST = 10
"""Doublings, so that the power stays a number."""

T = TypeVar("T")


class Patience:
    """Lets calls to one service through, and tries again what may go better, for `total_s` seconds at most.

    The n-th failure in a row is followed by a pause between half of and all of min(60, 2^n) seconds, and by no less
    than what the service asks for in Retry-After (and up to a tenth more, so that not all come back at once).
    """

    def __init__(
        self,
        total_s: float,
        *,
        at_once: int,
        rng: Random,
        tick: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._total_s = total_s
        self._rng = rng
        self._tick = tick
        self._sleep = sleep
        self._places = asyncio.Semaphore(at_once)
        self._queue = asyncio.Lock()
        self._failures = 0
        self._reason = ""
        self._not_before = tick()

    async def persevere(self, attempt: Callable[[], Awaitable[T]], *, at_most_s: float | None = None) -> T:
        """What the attempt returns in the end; `at_most_s` shortens the patience for this one.

        Raises `MindUnavailable` when time is up, and at once whatever the attempt raises beside `Transient`.
        """
        total_s = self._total_s if at_most_s is None else min(at_most_s, self._total_s)
        deadline = self._tick() + total_s
        while True:
            async with AsyncExitStack() as stack:
                await self._admitted(stack, deadline, total_s)
                try:
                    result = await attempt()
                except Transient as error:
                    self._note_failure(error)
                else:
                    self._failures = 0
                    return result

    async def _admitted(self, stack: AsyncExitStack, deadline: float, total_s: float) -> None:
        """A place, and while the service is down the only turn. Raises `MindUnavailable` when time is up."""
        await stack.enter_async_context(self._places)
        self._require_time(deadline, total_s)
        if not self._failures:
            return
        await self._queue.acquire()
        if not self._failures:
            self._queue.release()
            return
        stack.callback(self._queue.release)
        self._require_time(deadline, total_s)
        if (pause := self._not_before - self._tick()) > 0:
            await self._sleep(pause)

    def _require_time(self, deadline: float, total_s: float) -> None:
        if self._failures and max(self._not_before, self._tick()) >= deadline:
            tries = f"{self._failures} failures in a row, {total_s:.0f} s of patience"
            raise MindUnavailable(f"{self._reason} ({tries}); nothing is lost, give the command again later")

    def _note_failure(self, error: Transient) -> None:
        self._failures += 1
        self._reason = str(error)
        pause = min(LONGEST_S, FIRST_S * 2 ** min(self._failures, _LATEST)) * self._rng.uniform(0.5, 1.0)
        if error.retry_after_s is not None:
            pause = max(pause, error.retry_after_s * self._rng.uniform(1.0, 1.1))
        self._not_before = self._tick() + pause
