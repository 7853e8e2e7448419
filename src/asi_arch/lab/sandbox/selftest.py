"""Trying the walls from inside, and looking from outside whether anything came through.

Sandboxes fail silently: a kernel option, a container around us or a wrong path, and all is open. So the quiet attempts
are made at every start, and all of them by `asi-arch doctor`.
"""

import os
import socket
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.errors import LabError
from asi_arch.lab import processes
from asi_arch.lab.contract import AttemptJob, Attempts
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled, conversation
from asi_arch.lab.parent import MAX_LOG_BYTES, WarmParentHandle
from asi_arch.lab.sandbox.attempts import LOUD, QUIET, Attempted, Targets

_PATIENCE_S = 20.0
_NOTHING = Targets(
    secret_file="", store_file="", outside_folder="", tcp_port=0, udp_port=0, unix_socket="", controller=0
)


class Trial(NamedTuple):
    """One attempt, and what became of it."""

    name: str
    is_refused: bool
    detail: str


class Bait(NamedTuple):
    """What may not be reached, with the controller's ends of it."""

    targets: Targets
    listeners: tuple[socket.socket, ...]
    folder: Path

    def bites(self) -> list[str]:
        """What came through, seen from outside."""
        found = [path.name for path in self.folder.iterdir() if path.name.startswith("written")]
        for listener in self.listeners:
            with suppress(BlockingIOError):
                if listener.type == socket.SOCK_DGRAM:
                    found.append(f"{len(listener.recv(64))} bytes by UDP")
                else:
                    listener.accept()[0].close()
                    found.append("a connection")
        return found


@contextmanager
def bait() -> Generator[Bait, None, None]:
    """Files, servers and a secret for the attempts."""
    with tempfile.TemporaryDirectory(prefix="asi-arch-bait-") as name:
        folder = Path(name)
        secret, store, path = folder / "secret", folder / "campaign.sqlite3", folder / "socket"
        secret.write_text("a canary", encoding="utf-8")
        store.write_bytes(b"SQLite format 3\0")
        with (
            socket.socket(socket.AF_INET) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_UNIX) as unix,
        ):
            tcp.bind(("127.0.0.1", 0))
            udp.bind(("127.0.0.1", 0))
            unix.bind(str(path))
            for listener in (tcp, unix):
                listener.listen()
            for listener in (tcp, udp, unix):
                listener.setblocking(False)
            targets = Targets(
                secret_file=str(secret),
                store_file=str(store),
                outside_folder=name,
                tcp_port=tcp.getsockname()[1],
                udp_port=udp.getsockname()[1],
                unix_socket=str(path),
                controller=os.getpid(),
            )
            yield Bait(targets, (tcp, udp, unix), folder)


async def quiet_trials(parent: WarmParentHandle) -> list[Trial]:
    """All quiet attempts in one child. Raises `LabError` when they can't be made."""
    with bait() as laid:
        found = await _attempted(parent, list(QUIET), laid.targets)
        bites = laid.bites()
    trials = [Trial(one.name, not one.got, one.got or one.refusal) for one in found]
    if bites and all(trial.is_refused for trial in trials):
        trials.append(Trial("seen from outside", False, ", ".join(bites)))
    return trials


async def loud_trials(parent: WarmParentHandle) -> list[Trial]:
    """Every loud attempt in a child of its own; afterwards nothing of it may be left."""
    trials: list[Trial] = []
    for name in LOUD:
        with bait() as laid:
            trials.append(await _loud_trial(parent, name, laid.targets))
    left = await _left_over(parent)
    trials.append(Trial("processes left in the end", not left, f"{len(left)} left"))
    return trials


async def fresh_child_s(parent: WarmParentHandle) -> float:
    """Seconds from asking for a child, none being kept ready, to its first answer."""
    began = time.monotonic()
    talk = Conversation(parent, await parent.fork_afresh(), _PATIENCE_S)
    try:
        await talk.say(AttemptJob(attempts=(), targets=_NOTHING))
        await talk.hear(_PATIENCE_S)
        return time.monotonic() - began
    finally:
        await talk.end()


async def require_walls(parent: WarmParentHandle) -> None:
    """Raises `LabError` when the sandbox lets anything through that it should refuse."""
    open_doors = [trial for trial in await quiet_trials(parent) if not trial.is_refused]
    if open_doors:
        told = "; ".join(f"{trial.name}: {trial.detail}" for trial in open_doors)
        raise LabError(f"the sandbox does not hold, so no candidate is run in it ({told}); see: asi-arch doctor")


async def _attempted(parent: WarmParentHandle, names: Sequence[str], targets: Targets) -> Sequence[Attempted]:
    async with conversation(parent, _PATIENCE_S) as talk:
        try:
            await talk.say(AttemptJob(attempts=tuple(names), targets=targets))
            message, _ = await talk.hear(_PATIENCE_S)
        except (ChildFailed, Stalled) as failure:
            raise LabError(f"the sandbox could not be tried: {failure}") from failure
    if not isinstance(message, Attempts):
        raise LabError(f"the sandbox could not be tried: the answer was '{message.kind}'")
    return message.results


async def _loud_trial(parent: WarmParentHandle, name: str, targets: Targets) -> Trial:
    async with conversation(parent, _PATIENCE_S) as talk:
        try:
            await talk.say(AttemptJob(attempts=(name,), targets=targets))
            message, _ = await talk.hear(_PATIENCE_S)
        except ChildFailed as failure:
            return Trial(name, True, failure.reason)
        except Stalled:
            return Trial(name, True, f"ended after {_PATIENCE_S:.0f} s")
        log_bytes = talk.log_bytes
    assert isinstance(message, Attempts), message
    result = message.results[0]
    if not result.got and not result.refusal:
        return Trial(name, log_bytes <= MAX_LOG_BYTES, f"ended; {log_bytes >> 10} KiB of output were kept")
    return Trial(name, not result.got, result.got or result.refusal)


async def _left_over(parent: WarmParentHandle) -> set[int]:
    """Processes below the warm parent, but for the children that wait for a job."""
    await parent.settle()
    return {pid for pid in processes.descendants(parent.pid) if processes.is_alive(pid)} - parent.spare_pids
