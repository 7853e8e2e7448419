"""The controller's end of the warm parent: start it, ask for forked children, hear of their ends. Free of torch."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections import deque
from typing import Any, NamedTuple

from asi_arch.domain.errors import LabError, UserError
from asi_arch.lab import processes
from asi_arch.lab.launching import Launched
from asi_arch.lab.patience import comes_in_time
from asi_arch.lab.plain import plain_text
from asi_arch.lab.sandbox.cgroup import Limits
from asi_arch.lab.sandbox.tier import Tier

MAX_PACKET = 1 << 16
MAX_LOG_BYTES = 64 << 10
START_TIMEOUT_S = 120.0
"""Until a warm parent is ready; time in which the machine had no core for it does not count."""
SPARES = 4
"""Children that are forked before they are needed: as many as one experiment with two seeds asks for at once."""
QUIET_S = 0.3
"""Without a request for a child, after which new spares are forked."""
REHEARSAL_S = 2.0
"""How long the next spare waits at most for the one before it to get ready."""
POLL_S = 0.02
GONE = -1
"""Our number of a child that ended before we could ask."""
FAREWELL_S = 1.0
"""How long a child that is done may take to end itself."""
STUCK_S = 10.0
"""After which a warm parent that does not end a child is itself ended: it is stopped, or worse."""


class Ended(NamedTuple):
    """How a child ended: exit code (negative: the signal), CPU seconds and peak memory as the kernel counted them."""

    status: int
    cpu_s: float
    peak_mib: float
    excess: str = ""
    """The limit for which it was ended, in words."""


class Child:
    """A forked child: its socket as streams, its log, its end."""

    def __init__(self, job: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.job = job
        self.reader = reader
        self.writer = writer
        self.pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._log: deque[bytes] = deque()
        self._log_bytes = 0

    @property
    def log(self) -> str:
        """The last 64 KiB of what it printed, without control characters."""
        return plain_text(b"".join(self._log)[-MAX_LOG_BYTES:].decode("utf-8", errors="replace"))

    def hear(self, content: bytes) -> None:
        """Add to the log, dropping the oldest."""
        self._log.append(content)
        self._log_bytes += len(content)
        while self._log_bytes - len(self._log[0]) > MAX_LOG_BYTES:
            self._log_bytes -= len(self._log.popleft())


class WarmParentHandle:
    """A running warm parent."""

    def __init__(self, launched: Launched, limits: Limits) -> None:
        self._launched = launched
        self._limits = limits
        self._process = launched.process
        self._control = launched.control
        self._children: dict[int, Child] = {}
        self._last_job = 0
        self._spares: deque[Child] = deque()
        self._refilling: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_dead = False
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._on_packet)

    @classmethod
    async def start(cls, device: str, tier: Tier = Tier.NONE, *, memory_mib: int = 4096) -> "WarmParentHandle":
        """Start one for 'cpu' or 'cuda' behind the walls of `tier`, and wait until torch is imported.

        A child whose processes hold more than `memory_mib` is ended, by the kernel where it can be told to.

        Raises `LabError` with what it printed when that fails, and `UserError` when there is no GPU.
        """
        clock = asyncio.get_running_loop().time
        started = clock()
        handle = cls(Launched(device, tier, memory_mib), Limits(memory_mib))
        try:
            if not await comes_in_time(handle._ready, START_TIMEOUT_S, handle._launched.waited_s):
                raise LabError(f"it was not ready within {START_TIMEOUT_S:g} s of its own")
            handle._ready.result()
            handle.cold_start_s = clock() - started
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.ensure_future(handle.close()))
            raise
        except LabError as error:
            await handle.close()
            raise LabError(f"the warm parent did not start: {handle.last_words or error}") from error
        if device == "cuda" and not handle._has_cuda:
            await handle.close()
            raise UserError("the profile asks for the device 'cuda', but torch finds no usable GPU; try --profile cpu")
        return handle

    _last_asked: float = 0.0
    _pid: int | None = None
    _has_cuda: bool = False
    cold_start_s: float = 0.0
    """Seconds from its start until it was ready, torch's import included."""
    last_words: str = ""
    """What it printed by the time it was closed, shortened."""

    @property
    def pid(self) -> int:
        """Of the warm parent."""
        return self._pid or self._process.pid

    @property
    def limits(self) -> str:
        """Who sees to it that no child holds too much memory or has too many processes."""
        return self._limits.description

    @property
    def spare_pids(self) -> set[int]:
        """Of the children that wait for a job."""
        return {child.pid.result() for child in self._spares if child.pid.done() and not child.pid.exception()}

    async def fork(self) -> Child:
        """A fresh child, waiting for its job. Raises `LabError` when the warm parent is gone.

        It was forked a while ago if possible, so that nobody waits for that; another one takes its place when no more
        children have been asked for, because forking and rehearsing would slow them down.
        """
        child = None
        while self._spares and child is None:
            spare = self._spares.popleft()
            child = None if spare.ended.done() else spare
        if child is None:
            child = await self.fork_afresh()
        self._last_asked = asyncio.get_running_loop().time()
        if self._refilling is None or self._refilling.done():
            self._refilling = asyncio.create_task(self._refill())
        return child

    async def _refill(self) -> None:
        while (quiet_s := asyncio.get_running_loop().time() - self._last_asked) < QUIET_S:
            await asyncio.sleep(QUIET_S - quiet_s)
        with contextlib.suppress(LabError):
            while len(self._spares) < SPARES:
                spare = await self.fork_afresh()
                self._spares.append(spare)
                await self._rehearsed(spare)

    async def _rehearsed(self, spare: Child) -> None:
        """One after another: together they would take the cores from what is being trained."""
        loop = asyncio.get_running_loop()
        until = loop.time() + REHEARSAL_S
        while loop.time() < until and not spare.ended.done() and not processes.is_asleep(spare.pid.result()):
            await asyncio.sleep(POLL_S)

    async def fork_afresh(self) -> Child:
        """A child that is forked now."""
        if self.is_dead:
            raise LabError("the warm parent is gone")
        self._last_job += 1
        job = self._last_job
        ours, theirs = socket.socketpair()
        try:
            reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        child = self._children[job] = Child(job, reader, writer)
        log_reader, log_writer = os.pipe()
        _follow_log(log_reader, child)
        try:
            request = json.dumps({"op": "fork", "job": child.job}).encode()
            socket.send_fds(self._control, [request], [theirs.fileno(), log_writer])
        except OSError as error:
            self._die()
            raise LabError("the warm parent is gone") from error
        finally:
            theirs.close()
            os.close(log_writer)
        try:
            await asyncio.shield(child.pid)
        except asyncio.CancelledError:
            self._let_go(child)
            raise
        return child

    async def settle(self) -> None:
        """Wait until dismissed children are gone and spares are there."""
        while self._endings or (self._refilling is not None and not self._refilling.done()):
            await asyncio.wait({*self._endings, *({self._refilling} if self._refilling else ())})

    async def end(self, child: Child) -> Ended:
        """End the child's whole tree if it still runs, and wait for it.

        Raises `LabError` when the warm parent is gone, or does not do it though it could; then all of it is ended.
        """
        self._let_go(child)
        waited_s, is_starved = processes.waited_s(self.pid), True
        while is_starved and not child.ended.done():
            await asyncio.wait({child.ended}, timeout=STUCK_S)
            before_s, waited_s = waited_s, processes.waited_s(self.pid)
            is_starved = waited_s - before_s > STUCK_S / 2
        if not child.ended.done():
            self._process.kill()
            self._die()
        return child.ended.result()

    def dismiss(self, child: Child) -> None:
        """Hang up on a child that has done its job; it is ended behind our back."""
        ending = asyncio.create_task(self._ended_soon(child))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _ended_soon(self, child: Child) -> None:
        """It ends itself when we hang up; if it does not, it is ended."""
        child.writer.close()
        await asyncio.wait({child.ended}, timeout=FAREWELL_S)
        with contextlib.suppress(LabError):
            await self.end(child)

    def _let_go(self, child: Child) -> None:
        """Hang up and have its tree killed; requests are served in order, so this may come before it was forked."""
        child.writer.close()
        if not child.ended.done():
            with contextlib.suppress(OSError):
                self._control.send(json.dumps({"op": "kill", "job": child.job}).encode())

    async def close(self) -> None:
        """Hang up, so that it ends everything below it; killed if it does not within five seconds."""
        self._die()
        for task in (self._refilling, *self._endings):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        for spare in self._spares:
            spare.writer.close()
        self._spares.clear()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self._process.wait, 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await loop.run_in_executor(None, self._process.wait)
        await loop.run_in_executor(None, self._launched.bury)
        await loop.run_in_executor(None, self._limits.close)
        if not self._launched.words.closed:
            self.last_words = self._launched.last_words()

    def _on_packet(self) -> None:
        while True:
            try:
                packet = self._control.recv(MAX_PACKET)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self._die()
                return
            self._take(json.loads(packet))

    def _take(self, words: dict[str, Any]) -> None:
        if "ready" in words and not self._ready.done():
            self._has_cuda = words["cuda"]
            self._pid = self._launched.pid_of(words["pid"])
            self._ready.set_result(None)
        elif "forked" in words and not self._children[words["forked"]].pid.done():
            pid = self._outside(words["pid"])
            if pid in processes.children(self.pid):  # one that has ended is nobody's, or somebody else's by now
                self._limits.hold(words["forked"], pid)
            self._children[words["forked"]].pid.set_result(pid)
        elif "exited" in words:
            child = self._children.pop(words["exited"])
            excess = self._limits.release(child.job)
            if not child.ended.done():
                ended = Ended(words["status"], words["cpu_s"], words["peak_mib"], words["excess"] or excess)
                child.ended.set_result(ended)

    def _outside(self, pid: int) -> int:
        """Our number of a child that its parent calls `pid`: they may live in a name space of their own."""
        if self._pid is None:
            return pid
        return processes.named_inside(processes.children(self._pid), pid) or GONE

    def _die(self) -> None:
        """The connection is gone: nobody waits for ever."""
        if self.is_dead:
            return
        self.is_dead = True
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        gone = LabError("the warm parent is gone")
        for future in [self._ready, *(f for child in self._children.values() for f in (child.pid, child.ended))]:
            if not future.done():
                future.set_exception(gone)
                future.exception()
        for child in self._children.values():
            child.writer.close()
        self._children.clear()


def _follow_log(descriptor: int, child: Child) -> None:
    """Read the log as it comes until its last writer is gone."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)

    def on_readable() -> None:
        try:
            content = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if content:
            child.hear(content)
        else:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    loop.add_reader(descriptor, on_readable)
