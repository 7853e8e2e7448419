"""Workers that have their job before anybody waits for them: they build their model while the run before is checked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import NamedTuple

from asi_arch.domain.errors import LabError
from asi_arch.domain.outcome import RunKey
from asi_arch.lab.contract import TrainJob
from asi_arch.lab.conversation import Conversation, Stalled, conversation
from asi_arch.lab.parent import WarmParentHandle

KEEP_S = 20.0
"""How long a prepared worker waits; its run begins when the other seeds have finished theirs, or never."""


class _Waiting(NamedTuple):
    """A worker that was told its job, and what ends it."""

    parent: WarmParentHandle
    talk: Conversation
    stack: AsyncExitStack


class Workers:
    """Forks workers and tells them their jobs, some of them ahead. Nothing of one that nobody took is left behind."""

    def __init__(self) -> None:
        self._waiting: dict[RunKey, _Waiting] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def prepare(self, parent: WarmParentHandle, key: RunKey, job: TrainJob, patience_s: float) -> None:
        """Have a worker ready for this run; where that fails there is none, and the run will find out why."""
        async with AsyncExitStack() as stack:
            with suppress(LabError, Stalled):
                talk = await stack.enter_async_context(conversation(parent, patience_s))
                await talk.say(job)
                self._waiting[key] = _Waiting(parent, talk, stack.pop_all())
                asyncio.get_running_loop().call_later(KEEP_S, self.drop, key)

    @asynccontextmanager
    async def worker(self, parent: WarmParentHandle, key: RunKey, patience_s: float) -> AsyncGenerator[Conversation]:
        """The worker that was prepared for this run, or a fresh one to which nothing was said yet."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None and waiting.parent is not parent:
            await _end(waiting)
            waiting = None
        async with conversation(parent, patience_s) if waiting is None else _as_before(waiting) as talk:
            yield talk

    def drop(self, key: RunKey) -> None:
        """End the worker that was prepared for this run, if it still waits."""
        if (waiting := self._waiting.pop(key, None)) is not None:
            ending = asyncio.create_task(_end(waiting))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """End all that wait."""
        for key in list(self._waiting):
            self.drop(key)
        await asyncio.gather(*self._endings)


@asynccontextmanager
async def _as_before(waiting: _Waiting) -> AsyncGenerator[Conversation]:
    async with waiting.stack:
        yield waiting.talk


async def _end(waiting: _Waiting) -> None:
    with suppress(LabError):  # with its parent it is gone as well
        await waiting.stack.aclose()
