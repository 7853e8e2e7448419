"""A room of its own for each child of a container, where Landlock may be missing: name spaces of users and of mounts.

In it the scratch space is the child's own folder and the only place that can be written to; folders of other children
can't be named. Processes outside of the room can't be read or traced, because they belong to other name spaces.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from asi_arch.lab.sandbox.kernel import drop_capabilities, enter_new_namespaces, mount

_NEW_MOUNTS, _NEW_IPC, _NEW_USERS = 0x00020000, 0x08000000, 0x10000000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
_KEPT = {"nosuid": 0x2, "nodev": 0x4, "noexec": 0x8, "noatime": 0x400, "nodiratime": 0x800, "relatime": 0x200000}
"""Of a mount's options, those that it must keep when it is made read-only."""


class _Mount(NamedTuple):
    place: str
    flags: int


def move_in(folder: str, scratch: str) -> None:
    """The calling process gets a room in which `scratch` is `folder`, and gives up its powers there.

    Raises `OSError` where the kernel refuses. Afterwards the current folder is `scratch`.
    """
    user, group = os.geteuid(), os.getegid()
    enter_new_namespaces(_NEW_USERS | _NEW_MOUNTS | _NEW_IPC)
    _tell("setgroups", "deny")
    _tell("uid_map", f"{user} {user} 1")
    _tell("gid_map", f"{group} {group} 1")
    mount(None, "/", _RECURSIVE | _PRIVATE)
    others = _mounts()
    mount(folder, scratch, _BIND)
    for other in others:
        if other.place != scratch:
            mount(None, other.place, _REMOUNT | _BIND | _READ_ONLY | other.flags)
    os.chdir(scratch)
    drop_capabilities()


def try_to_move(scratch: str) -> None:
    """Whether it can be done, in a container that is there for that. Raises `OSError` where not."""
    move_in(tempfile.mkdtemp(dir=scratch), scratch)
    Path(scratch, "written").touch()


def _mounts() -> list[_Mount]:
    """Those that can be seen: of several in one place the last one."""
    found: dict[str, _Mount] = {}
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        place = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), fields[4])
        found[place] = _Mount(place, sum(_KEPT.get(option, 0) for option in fields[5].split(",")))
    return list(found.values())


def _tell(name: str, value: str) -> None:
    Path(f"/proc/self/{name}").write_text(value, encoding="ascii")
