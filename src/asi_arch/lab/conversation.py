"""Talking to one forked child: frames with a deadline, and a candidate's failure as a value."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress

from asi_arch.domain.errors import LabError
from asi_arch.lab import processes
from asi_arch.lab.contract import HEAD, Arrays, Failure, Frame, Garbled, Message, decode, encode, sizes
from asi_arch.lab.parent import Child, Ended, WarmParentHandle
from asi_arch.lab.patience import comes_in_time
from asi_arch.lab.plain import plain_text

SMALL_ANSWER = 1 << 16
"""Bytes of arrays in an answer that should have none."""
_MAX_REASON = 2000
_BUSY_SHARE = 0.3
"""Of the time that a silent child computed, above which it is in an endless loop."""


class ChildFailed(Exception):
    """The child ended, broke the contract, or reported that the candidate's code raised."""

    def __init__(self, reason: str, log: str = "", *, is_tampering: bool = False) -> None:
        self.reason = plain_text(reason, _MAX_REASON)
        self.log = plain_text(log)
        self.is_tampering = is_tampering
        super().__init__(self.reason)


class Stalled(Exception):
    """No frame came in time."""


class Conversation:
    """Frames to and from one child."""

    def __init__(self, parent: WarmParentHandle, child: Child, patience_s: float) -> None:
        self._parent = parent
        self._child = child
        self._patience_s = patience_s
        self.is_dismissed = False
        self.has_begun = False
        """Whether anything was said to the child."""

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._child.pid.result()

    async def say(self, message: Message, arrays: Arrays | None = None) -> None:
        """Send a frame; a child that has gone is noticed when it is asked for an answer.

        Raises `Stalled` when the child leaves so much unread that the frame does not fit within the patience, in which
        time that it waited for a core does not count.
        """
        self.has_begun = True
        if self._child.writer.is_closing():
            return
        self._child.writer.write(encode(message, arrays))
        # No `asyncio.wait_for`: before Python 3.12 it loses a cancellation that comes as what it waits for ends.
        drained = asyncio.ensure_future(self._child.writer.drain())
        try:
            if not await comes_in_time(drained, self._patience_s, lambda: self._waited_s):
                raise Stalled
        finally:
            drained.cancel()
            await asyncio.gather(drained, return_exceptions=True)
        with suppress(ConnectionError):
            drained.result()

    async def hear(self, timeout_s: float, max_arrays: int = SMALL_ANSWER) -> Frame:
        """The next frame, with at most `max_arrays` bytes of arrays.

        Raises `ChildFailed` for all that is wrong, and `Stalled` after `timeout_s` of silence, in which time that the
        child waited for a core does not count. One that hardly computed all the same gets as much once more: the
        machine may have been suspended.
        """
        reading = asyncio.ensure_future(self._frame(max_arrays))
        try:
            frame = await self._patiently(reading, timeout_s)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._died() from None
        except Garbled as error:
            raise ChildFailed(f"the process sent something unreadable: {error}", self._child.log) from None
        finally:
            reading.cancel()
        if isinstance(frame.message, Failure):
            failure = frame.message
            raise ChildFailed(failure.reason, failure.log + self._child.log, is_tampering=failure.is_tampering)
        return frame

    async def _patiently(self, reading: "asyncio.Future[Frame]", timeout_s: float) -> Frame:
        for _ in range(2):
            used_s = self.cpu_s
            if await comes_in_time(reading, timeout_s, lambda: self._waited_s):
                return reading.result()
            if self.cpu_s - used_s > _BUSY_SHARE * timeout_s:
                break
        raise Stalled

    @property
    def _waited_s(self) -> float:
        return 0.0 if self._child.ended.done() else processes.waited_s(self.pid)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the child so far, by the kernel's count."""
        if self._child.ended.done():
            return self._child.ended.result().cpu_s
        return processes.cpu_s(self.pid) or 0.0

    @property
    def log_bytes(self) -> int:
        """How much of what it printed was kept."""
        return len(self._child.log.encode())

    async def end(self) -> Ended:
        """End the child's tree; afterwards nothing of it is left."""
        return await self._parent.end(self._child)

    def dismiss(self) -> None:
        """Take leave of a child that has done its job, without waiting for its end."""
        self.is_dismissed = True
        self._parent.dismiss(self._child)

    async def _frame(self, max_arrays: int) -> Frame:
        header, payload = sizes(await self._child.reader.readexactly(HEAD.size), max_arrays)
        reader = self._child.reader
        return decode(await reader.readexactly(header), await reader.readexactly(payload) if payload else b"")

    async def _died(self) -> ChildFailed:
        ended = await self._parent.end(self._child)
        how = ended.excess or status_words(ended.status)
        return ChildFailed(f"the process ended without an answer: {how}", self._child.log)


def status_words(status: int) -> str:
    """'exit code 3' or 'killed by SIGSEGV'."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


@asynccontextmanager
async def conversation(parent: WarmParentHandle, patience_s: float) -> AsyncGenerator[Conversation]:
    """Fork a child, talk to it, and leave nothing of it behind, whatever happens (cancellation included).

    Only a child that was dismissed may still be on its way out afterwards.
    """
    child = await parent.fork()
    talk = Conversation(parent, child, patience_s)
    forgiven: AbstractContextManager[None] = nullcontext()
    try:
        yield talk
    except asyncio.CancelledError:
        forgiven = suppress(LabError)  # to be told to stop is no error, even with nobody left to end the child
        raise
    finally:
        if not talk.is_dismissed:
            with forgiven:
                await asyncio.shield(asyncio.ensure_future(talk.end()))
