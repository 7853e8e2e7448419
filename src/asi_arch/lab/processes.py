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


def children(pid: int) -> set[int]:
    """Processes that `pid` itself started and has not seen the end of."""
    try:
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))
    except OSError:
        return {child for child, parent in parents().items() if parent == pid}


def tree(root: int) -> set[int]:
    """`root` and everything below it, as long as nothing in it has several threads that start processes."""
    found, waiting = {root}, [root]
    while waiting:
        new = children(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def named_inside(candidates: Iterable[int], pid: int) -> int | None:
    """Which of these processes calls itself `pid` in a name space of its own; None where none does."""
    for candidate in candidates:
        names = _names(candidate)
        if len(names) > 1 and names[-1] == pid:
            return candidate
    return None


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
    return sum(map(resident_mib, {root} | descendants(root)))


def resident_mib(pid: int) -> float:
    """Resident memory of one process, shared pages included; 0 for one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20
    except (OSError, IndexError):
        return 0.0


def cpu_s(pid: int) -> float | None:
    """CPU seconds of one process as the kernel counts them; None where that can't be read."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else None


def waited_s(pid: int) -> float:
    """Seconds in which the process could have computed and the machine had no core for it; 0 where that is unknown."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


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


def started(pid: int) -> int | None:
    """When the process was started, in the kernel's ticks since boot; None for one that is gone.

    With the number it names a process for good: numbers are used again.
    """
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def is_asleep(pid: int) -> bool:
    """Whether the process waits for something, or is gone."""
    fields = _stat(pid)
    return not fields or fields[0] in ("S", "Z", "X")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, ...; empty where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _names(pid: int) -> list[int]:
    """The process's number in every name space that it is in, ours first."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    return next(([int(word) for word in line.split()[1:]] for line in lines if line.startswith("NSpid:")), [])


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
