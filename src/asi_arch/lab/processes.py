"""Process trees by way of /proc: who descends from whom, how much memory they hold, and their end."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


def parents() -> dict[int, int]:
    """Parent of every process that can be seen."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))):
            found[int(name)] = int(fields[1])
    return found


def descendants(root: int) -> set[int]:
    """All processes below `root`, without it."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = list(children.get(root, []))
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def kill_tree(root: int) -> None:
    """End `root` and everything below it. Stopped first, so that nothing forks away while the list is made."""
    known: set[int] = set()
    while True:
        tree = {root} | descendants(root)
        new = tree - known
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        known |= new
    _signal(known, signal.SIGKILL)


def memory_mib(root: int) -> float:
    """Resident memory of `root` and everything below it, pages that they share counted for each."""
    return sum(_resident(pid) for pid in {root} | descendants(root)) * PAGE / 2**20


def cpu_s(pid: int) -> float | None:
    """CPU seconds of one process as the kernel counts them; None where that can't be read."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else None


def kill_marked(mark: str) -> None:
    """End every process that was started, or forked from one that was, with `mark` in its environment."""
    needle = mark.encode()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        try:
            is_ours = name.isdigit() and needle in Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if is_ours:
            kill_tree(int(name))


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, ...; empty where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
