"""Limits that the kernel keeps for a child and all that it starts: memory and tasks, by cgroup v2 where we may write.

A controller makes one group, next to the one that it runs in or further up, and in it a leaf for each child:

    .../asi-arch-PID-MARK/          memory and pids are passed on, no process is in it
    .../asi-arch-PID-MARK/job-N/    memory.max, pids.max, one child

Only children are moved. The group is locked (flock) as long as its controller lives, so that what a killed one left
behind is known, and removed by the next one. See the kernel's documentation, admin-guide/cgroup-v2. Free of torch.
"""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

WANTED = ("memory", "pids")
MAX_TASKS = 512
"""Of one child: threads count as well, so this is more than the processes that the warm parent lets it have."""
_NAME = re.compile(r"asi-arch-(\d+)-[0-9a-f]{8}")
_HINT = "`systemd-run --user --scope asi-arch ...` starts it where they are to be had"
_REMOVALS, _BETWEEN_S = 40, 0.005
"""Attempts to remove a group: the kernel takes a moment to bury what was in it."""


class NoLimits(Exception):
    """Why the kernel keeps no limits here, in words."""


class Group:
    """Our group, with a leaf for each child."""

    def __init__(self, path: Path, lock: int, controllers: tuple[str, ...]) -> None:
        self._path = path
        self._lock = lock
        self.controllers = controllers

    def leaf(self, job: int, memory_mib: int) -> Path:
        """A new leaf with its limits. Raises `OSError` where the kernel refuses."""
        path = self._path / f"job-{job}"
        _make(path)
        if "memory" in self.controllers:
            _write(path / "memory.max", str(memory_mib << 20))
            _write(path / "memory.oom.group", "1")
            with contextlib.suppress(FileNotFoundError):  # a kernel without swap
                _write(path / "memory.swap.max", "0")
        if "pids" in self.controllers:
            _write(path / "pids.max", str(MAX_TASKS))
        return path

    def close(self) -> None:
        """Remove the group with its leaves, ending what is still in them."""
        for _ in range(_REMOVALS):
            if _remove_group(self._path):
                break
            for leaf in _groups_below(self._path):
                _kill(leaf)
            time.sleep(_BETWEEN_S)
        os.close(self._lock)


class Limits:
    """What a controller's children may hold and how many tasks they may be, kept by the kernel or else not at all."""

    def __init__(self, memory_mib: int, proc: Path = Path("/proc")) -> None:
        """`proc` tells in which group we are, and where the groups are mounted."""
        self._memory_mib = memory_mib
        self._leaves: dict[int, Path] = {}
        self._group: Group | None = None
        self._reason = ""
        try:
            self._group = open_group(proc)
        except NoLimits as why:
            self._reason = str(why)

    @property
    def description(self) -> str:
        """Who keeps them; if not the kernel, why."""
        if self._group is None or self._reason:
            return f"watched by the parent ({self._reason})"
        return f"cgroup v2 ({', '.join(self._group.controllers)})"

    def hold(self, job: int, pid: int) -> None:
        """Put a process into a leaf of its own, before it gets its job. After a failure no more are made."""
        if self._group is None or self._reason:
            return
        try:
            leaf = self._leaves[job] = self._group.leaf(job, self._memory_mib)
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                _write(leaf / "cgroup.procs", str(pid))
        except OSError as error:
            self._reason = f"a process could not be put into a cgroup: {error.strerror}"

    def release(self, job: int) -> str:
        """Remove the leaf of a child that has ended; returns the limit for which it was ended, in words."""
        leaf = self._leaves.pop(job, None)
        if leaf is None:
            return ""
        was_killed = _count(leaf / "memory.events", "oom_kill") > 0
        if not _remove(leaf):
            _kill(leaf)  # what has not left yet; removed with the group
        limit = self._memory_mib
        return f"it held {limit} MiB of memory and asked for more, {limit} are allowed" if was_killed else ""

    def close(self) -> None:
        """Remove the group and all its leaves, ending what is still in them."""
        if self._group is not None:
            self._group.close()
            self._group, self._reason = None, "the lab is closed"


def open_group(proc: Path = Path("/proc")) -> Group:
    """A group of ours, locked, in the nearest place that passes both controllers on, or one of them.

    What killed controllers left in that place is removed. Raises `NoLimits` where there is no such place.
    """
    places = list(_places(proc))
    if not places:
        raise NoLimits("no cgroup v2 is mounted, or this process is in none of its groups")
    writable = [place for place in places if _is_writable(place)]
    if not writable:
        raise NoLimits(f"no cgroup above this process may be written to; {_HINT}")
    if not any(_words(place / "cgroup.controllers") & set(WANTED) for place in writable):
        raise NoLimits("cgroup v2 has neither memory nor pids here; they may be held by cgroup v1, or not be delegated")
    for place in sorted(writable, key=lambda place: -len(_passed_on(place))):
        _pass_on(place)
        with contextlib.suppress(OSError):
            if controllers := _passed_on(place):
                _remove_left_overs(place)
                return _made_group(place, controllers)
    raise NoLimits(f"no cgroup above this process passes memory or pids on; {_HINT}")


def _places(proc: Path) -> Iterator[Path]:
    """The group that we are in and all above it, as far as they can be seen."""
    own = next((line[3:] for line in _lines(proc / "self/cgroup") if line.startswith("0::")), None)
    for line in _lines(proc / "self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields = before.split()
        if own is None or after.split()[:1] != ["cgroup2"] or not _is_below(own, fields[3]):
            continue
        top = Path(re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        place = top / os.path.relpath(own, fields[3])
        yield from (folder for folder in (place, *place.parents) if folder == top or top in folder.parents)
        return


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


def _is_writable(place: Path) -> bool:
    """Whether we may make groups in it and move processes from one below it to another."""
    return os.access(place, os.W_OK) and os.access(place / "cgroup.procs", os.W_OK)


def _passed_on(place: Path) -> tuple[str, ...]:
    """The controllers that groups directly below get."""
    found = _words(place / "cgroup.subtree_control")
    return tuple(name for name in WANTED if name in found)


def _pass_on(place: Path) -> None:
    """Ask for those that are missing; refused, unless in the root, where processes are in the group itself."""
    for name in set(WANTED) & _words(place / "cgroup.controllers") - set(_passed_on(place)):
        with contextlib.suppress(OSError):
            _write(place / "cgroup.subtree_control", f"+{name}")


def _made_group(place: Path, controllers: tuple[str, ...]) -> Group:
    path = place / f"asi-arch-{os.getpid()}-{os.urandom(4).hex()}"
    _make(path)
    lock = -1
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(path / "cgroup.subtree_control", " ".join(f"+{name}" for name in controllers))
    except OSError:
        if lock >= 0:
            os.close(lock)
        _remove(path)
        raise
    return Group(path, lock, controllers)


def _remove_left_overs(place: Path) -> None:
    """Groups of controllers that are gone, where they are empty; what still runs in one is not ours to end."""
    for path in _groups_below(place):
        name = _NAME.fullmatch(path.name)
        if name is None or os.path.exists(f"/proc/{name[1]}"):
            continue
        with contextlib.suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_group(path)
            finally:
                os.close(lock)


def _remove_group(path: Path) -> bool:
    """With its leaves; whether it is gone. Groups with processes in them stay."""
    for leaf in _groups_below(path):
        _remove(leaf)
    return _remove(path)


def _groups_below(path: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _make(path: Path) -> None:
    os.mkdir(path)


def _remove(path: Path) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _kill(leaf: Path) -> None:
    """All that is in it, where the kernel can do that (Linux 5.14)."""
    with contextlib.suppress(OSError):
        _write(leaf / "cgroup.kill", "1")


def _count(path: Path, key: str) -> int:
    """The value of one key of a flat-keyed file; 0 where it isn't there."""
    return next((int(line.split()[1]) for line in _lines(path) if line.split()[:1] == [key]), 0)


def _words(path: Path) -> set[str]:
    return {word for line in _lines(path) for word in line.split()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _write(path: Path, value: str) -> None:
    """In one call and without making a file, as the kernel wants it. Raises `OSError` with what it says."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, value.encode())
    finally:
        os.close(file)
