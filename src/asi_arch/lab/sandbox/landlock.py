"""Landlock: a process gives up access to files, the network and other processes, for itself and all it will start.

Rules stack: a child can only give up more. See the kernel's documentation, userspace-api/landlock.
"""

import ctypes
import os
import stat
from collections.abc import Sequence

from asi_arch.lab.sandbox.kernel import forbid_new_privileges, system_call

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_FIRST_RIGHTS = (1 << 13) - 1
_RIGHTS_SINCE = {2: 1 << 13, 3: _TRUNCATE, 5: _IOCTL_DEVICE}
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
SIGNALS_SINCE = 6
"""The version from which on processes outside can't be signalled."""


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """Of the kernel's Landlock; 0 where it has none or it is switched off."""
    try:
        return system_call(_CREATE, None, 0, _CREATE_VERSION)
    except OSError:
        return 0


def restrict(*, readable: Sequence[str], writable: Sequence[str]) -> None:
    """From here on only these files and folders, no TCP, and (from version 6) no signal to anybody outside.

    Paths that don't exist are passed over. Raises `OSError` where the kernel refuses.
    """
    forbid_new_privileges()
    found = version()
    rights = _FIRST_RIGHTS | sum(right for since, right in _RIGHTS_SINCE.items() if found >= since)
    attributes = _Attributes(
        rights, _TCP_BIND_AND_CONNECT if found >= 4 else 0, _ABSTRACT_SOCKETS_AND_SIGNALS if found >= 6 else 0
    )
    size = 24 if found >= 6 else 16 if found >= 4 else 8
    rules = system_call(_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
    try:
        for path in readable:
            _allow(rules, path, _READING & rights)
        for path in writable:
            _allow(rules, path, rights)
        system_call(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        system_call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(_Beneath(rights, place)), 0)
    finally:
        os.close(place)
