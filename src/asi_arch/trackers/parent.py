"""The controller's side: a child for each tracker, started, listened to, and ended in bounded time."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from asi_arch.trackers.child import END_S, Order
from asi_arch.trackers.targets import Target

_CUT_SHORT_S: Final = 2.0
"""How long a campaign that was stopped at once waits for a tracker."""
_ENTRY: Final = "import sys; sys.path[:] = filter(None, sys.path); from asi_arch.trackers.child import main; main()"
"""Without the current folder, in which a file may be named like a library."""
_PATIENCE_S: Final = 1.0
"""From here on the user is told who is waited for."""


@asynccontextmanager
async def tracking(state: Path, targets: Sequence[Target], say: Callable[[str], None]) -> AsyncGenerator[None, None]:
    """While inside, every tracker is told what the campaign in `state` records; `say` hears what goes wrong.

    Nothing inside waits for a tracker, and none can make it fail. At the end each has `END_S` to finish, at the same
    time.
    """
    children = [child for target in targets if (child := await _started(state, target, say)) is not None]
    try:
        yield
    except BaseException:
        await asyncio.gather(*(child.end(_CUT_SHORT_S) for child in children))
        raise
    await asyncio.gather(*(child.end(END_S) for child in children))


class _Child:
    """The process that tells one target."""

    def __init__(self, target: Target, process: asyncio.subprocess.Process, say: Callable[[str], None]) -> None:
        self._target = target
        self._process = process
        self._say = say
        self._is_ending = False
        self._listening = asyncio.create_task(self._listen(), name=f"tracker {target}")

    async def end(self, limit_s: float) -> None:
        """Let it tell the rest; after `limit_s` it is killed, with everything it started."""
        self._is_ending = True
        assert self._process.stdin is not None, "its stdin is a pipe"
        self._process.stdin.close()
        try:
            done, _ = await asyncio.wait({self._listening}, timeout=min(_PATIENCE_S, limit_s))
            if not done and limit_s > _PATIENCE_S:
                self._say(f"waiting for {self._target}, at most {limit_s:.0f} s")
                done, _ = await asyncio.wait({self._listening}, timeout=limit_s - _PATIENCE_S)
            if not done:
                self._say(f"{self._target} did not finish in {limit_s:.0f} s; the next run with it tells the rest")
        finally:
            if not self._listening.done():
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            await self._listening

    async def _listen(self) -> None:
        """Pass on what it says until it is gone."""
        assert self._process.stdout is not None, "its stdout is a pipe"
        async for line in self._process.stdout:
            self._say(str(json.loads(line)["say"]))
        code = await self._process.wait()
        if code and not self._is_ending:
            self._say(f"{self._target}: its process ended (code {code}); the campaign goes on, the next run tells it")


async def _started(state: Path, target: Target, say: Callable[[str], None]) -> _Child | None:
    """In a session of its own, so that Ctrl-C does not reach it."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _ENTRY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        say(f"{target} can't be told: {error.strerror}")
        return None
    assert process.stdin is not None, "its stdin is a pipe"
    process.stdin.write(Order(state.absolute(), target).as_line().encode())
    say(f"{target} is told of every recorded experiment")
    return _Child(target, process, say)
