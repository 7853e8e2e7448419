"""What the warm parent and each of its children give up, by means of the kernel alone (Landlock, seccomp).

Inside bubblewrap this is the second wall, without it the only one. A child can read what Python and torch are made of,
write below its own folder, and nothing else: no other file, no socket, no process but its own.
"""

import contextlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from asi_arch.lab.sandbox import landlock, room, seccomp
from asi_arch.lab.sandbox.kernel import drop_capabilities

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/sys/devices/system",
)
_FACTS = tuple(f"/proc/{name}" for name in ("cpuinfo", "meminfo", "stat", "filesystems", "version", "sys/vm"))
_TO_MAKE_A_ROOM = ("unshare", "mount")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def code_paths() -> list[str]:
    """Folders that hold Python, the installed packages and ours; nothing of the user's but these."""
    package_root = Path(__file__).parents[3]
    installed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    named = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *installed, str(package_root)]
    found = [path for path in named if os.path.isdir(path)]
    return _outermost([*found, *(os.path.realpath(path) for path in found)])


def readable_paths() -> list[str]:
    """All that a child may read, besides what the kernel says of itself."""
    return [*_SYSTEM, *_FACTS, *code_paths()]


def confine_parent(scratch: str, *, is_alone: bool, makes_rooms: bool) -> None:
    """Confine the warm parent to what it needs: to fork, to watch, to remove its children's folders below `scratch`.

    `is_alone` in a file system of its own; elsewhere nobody may change owners, modes and times, which Landlock permits.
    If it `makes_rooms` for its children, those confine themselves when they are in: who is under Landlock can't mount.
    """
    drop_capabilities()
    if makes_rooms:
        seccomp.refuse_what_nobody_needs(file_attributes_too=False, but=_TO_MAKE_A_ROOM)
        return
    landlock.restrict(readable=[*readable_paths(), "/proc"], writable=[scratch, *_DEVICES, f"/proc/{os.getpid()}"])
    seccomp.refuse_what_nobody_needs(file_attributes_too=not is_alone)


def confine_child(folder: str) -> None:
    """Confine the calling process and all it starts; `folder` exists, is empty and its own."""
    landlock.restrict(readable=readable_paths(), writable=[folder, *_DEVICES, f"/proc/{os.getpid()}"])
    seccomp.name_nobody_but(os.getpid(), signals_too=landlock.version() < landlock.SIGNALS_SINCE)


def confine_in_room(folder: str, scratch: str) -> None:
    """Confine the calling process to a room in which `scratch` is its `folder`, and by Landlock where there is it."""
    room.move_in(folder, scratch)
    seccomp.refuse_what_nobody_needs(file_attributes_too=False)
    if landlock.version():
        landlock.restrict(readable=readable_paths(), writable=[scratch, *_DEVICES, f"/proc/{os.getpid()}"])
    seccomp.name_nobody_but(os.getpid(), signals_too=landlock.version() < landlock.SIGNALS_SINCE)


def remove_folder(folder: str) -> None:
    """With all that the child left in it."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without those that lie below another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == outer or path.startswith(outer.rstrip("/") + "/") for outer in kept):
            kept.append(path)
    return kept
