"""System calls that Python does not offer. Linux on x86-64 and ARM64."""

import ctypes
import os
import platform
from typing import Any

_LIBRARY = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
_LAST_CAPABILITY = 63
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522


def architecture() -> str:
    """'x86_64', 'aarch64' or whatever else this is."""
    machine = platform.machine()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine)


def system_call(number: int, *arguments: Any) -> int:
    """Raises `OSError` with what the kernel says."""
    result = int(_LIBRARY.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def process_control(option: int, argument: int) -> None:
    """`prctl` with one argument. Raises `OSError` with what the kernel says."""
    if _LIBRARY.prctl(option, argument, 0, 0, 0) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def enter_new_namespaces(flags: int) -> None:
    """`unshare`. Raises `OSError` with what the kernel says."""
    if _LIBRARY.unshare(flags) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def mount(source: str | None, place: str, flags: int) -> None:
    """`mount` without a type or data. Raises `OSError` with what the kernel says, and where."""
    name = None if source is None else os.fsencode(source)
    if _LIBRARY.mount(name, os.fsencode(place), None, ctypes.c_ulong(flags), None) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), place)


def forbid_new_privileges() -> None:
    """No program that is executed from here on gains anything by its file's owner or capabilities."""
    process_control(PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Root without root's powers: all capability sets of this process become empty, and stay so."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            process_control(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # not root, who has none to drop, or past the last one that this kernel knows
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    system_call(_CAPSET[architecture()], header, (ctypes.c_uint32 * 6)())
