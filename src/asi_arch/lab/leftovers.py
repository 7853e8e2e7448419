"""Folders of our own in the machine's folder for temporary files, and those that killed controllers left there.

A folder's name tells whose it is: the process, when that was started, and the name space in which it has this number,
because another container may share the folder and number its processes anew. Free of torch.
"""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from asi_arch.lab import processes

_NAME = re.compile(r"asi-arch-[a-z]+-(?P<pid>\d+)-(?P<started>\d+)-(?P<space>\d+)-[^/]+")


def own_folder(kind: str) -> "tempfile.TemporaryDirectory[str]":
    """A new folder of this process, e.g. of the kind 'lab'; removed by its `cleanup`, else by a later controller."""
    pid = os.getpid()
    prefix = f"asi-arch-{kind}-{pid}-{processes.started(pid) or 0}-{_space()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)


def remove_abandoned() -> None:
    """Remove this user's folders whose process is gone; whatever may be in use or can't be judged stays."""
    mounted = _mount_points()
    for folder in Path(tempfile.gettempdir()).glob("asi-arch-*"):
        if _is_abandoned(folder) and not any(point.startswith(f"{folder.resolve()}/") for point in mounted):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    name = _NAME.fullmatch(folder.name)
    if name is None or int(name["space"]) != _space() or not _is_ours(folder):
        return False
    return processes.started(int(name["pid"])) != int(name["started"])


def _is_ours(folder: Path) -> bool:
    """A folder, no link to one, of the user that we are."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _space() -> int:
    """Number of the name space of processes that we are in; 0 where the system does not tell it."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def _mount_points() -> list[str]:
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.split()[4] for line in lines]
