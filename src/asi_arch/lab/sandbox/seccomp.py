"""Seccomp: system calls that a candidate has no use for are refused with 'operation not permitted'.

Two filters stack. The first is the warm parent's and so everybody's: no sockets, no memory or queues that outlive a
process (a scorer could leave a message to the next one), no debugging of others, no mounts and name spaces. The second
is each child's own: calls that name a process may name itself only.
"""

import ctypes
import errno
import struct
from collections.abc import Collection, Iterable
from typing import NamedTuple

from asi_arch.lab.sandbox.kernel import architecture, forbid_new_privileges, system_call

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER = 1
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEW* of mounts, cgroups, host name, IPC, users, processes and network."""

_NONE = 0xFFFF
"""Where an architecture has no such call."""
# Numbers on x86-64, on ARM64 and, where the call names a process, the place of that argument.
_DENIED = {
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
}
_FILE_ATTRIBUTES = {
    "chmod": (90, _NONE),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, _NONE),
    "lchown": (94, _NONE),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, _NONE),
    "utimes": (235, _NONE),
    "futimesat": (261, _NONE),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_TARGETED = {
    "prlimit64": (302, 261, 0),
    "sched_setaffinity": (203, 122, 0),
    "sched_setscheduler": (144, 119, 0),
    "sched_setparam": (142, 118, 0),
    "sched_setattr": (314, 274, 0),
    "migrate_pages": (256, 238, 0),
    "move_pages": (279, 239, 0),
    "setpgid": (109, 154, 0),
    "setpriority": (141, 140, 1),
    "ioprio_set": (251, 30, 1),
}
_SIGNALLING = {
    "kill": (62, 129, 0),
    "tgkill": (234, 131, 0),
    "rt_sigqueueinfo": (129, 138, 0),
    "rt_tgsigqueueinfo": (297, 240, 0),
}
_NEVER_SIGNALLED_BY = {"tkill": (200, 130), "pidfd_send_signal": (424, 424)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


class _Step(NamedTuple):
    """One instruction of the classic Berkeley packet filter."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0

    def packed(self) -> bytes:
        """As the kernel wants it."""
        return struct.pack("=HBBI", self.code, self.if_true, self.if_false, self.value)


def is_supported() -> bool:
    """Whether the numbers of this machine's system calls are known."""
    return architecture() in _AUDIT


def refuse_what_nobody_needs(*, file_attributes_too: bool, but: Collection[str] = ()) -> None:
    """The filter for the warm parent and everything below it; `but` names calls that are needed once more.

    Raises `OSError` where the kernel refuses.
    """
    steps: list[_Step] = []
    denied = {**_DENIED, **(_FILE_ATTRIBUTES if file_attributes_too else {})}
    for numbers in (numbers for name, numbers in denied.items() if name not in but):
        steps += _refuse(_here(numbers), errno.EPERM)
    # Its flags lie in memory, where no filter can look; the C library falls back to `clone`.
    steps += _refuse(_here(_CLONE3), errno.ENOSYS)
    steps += [
        _Step(_JUMP_EQUAL, _here(_CLONE), 0, 3),
        _Step(_LOAD, _ARGUMENTS_AT),
        _Step(_JUMP_ANY_BIT, _NEW_NAMESPACES, 0, 1),
        _Step(_RETURN, _ERRNO | errno.EPERM),
        _Step(_LOAD, _NUMBER_AT),
    ]
    _install(steps)


def name_nobody_but(pid: int, *, signals_too: bool) -> None:
    """The filter of one child: limits, priorities and (where Landlock can't do it) signals are for itself only."""
    steps: list[_Step] = []
    targeted = {**_TARGETED, **(_SIGNALLING if signals_too else {})}
    for x86, arm, argument in targeted.values():
        steps += [
            _Step(_JUMP_EQUAL, _here((x86, arm)), 0, 5),
            _Step(_LOAD, _ARGUMENTS_AT + 8 * argument),
            _Step(_JUMP_EQUAL, pid, 2, 0),
            _Step(_JUMP_EQUAL, 0, 1, 0),
            _Step(_RETURN, _ERRNO | errno.EPERM),
            _Step(_LOAD, _NUMBER_AT),
        ]
    for numbers in _NEVER_SIGNALLED_BY.values() if signals_too else ():
        steps += _refuse(_here(numbers), errno.EPERM)
    _install(steps)


def _here(numbers: tuple[int, int]) -> int:
    return numbers[0] if architecture() == "x86_64" else numbers[1]


def _refuse(number: int, code: int) -> list[_Step]:
    return [_Step(_JUMP_EQUAL, number, 0, 1), _Step(_RETURN, _ERRNO | code)]


def _install(steps: Iterable[_Step]) -> None:
    """With a prologue that ends foreign architectures, whose numbers mean other calls."""
    prologue = [
        _Step(_LOAD, _ARCHITECTURE_AT),
        _Step(_JUMP_EQUAL, _AUDIT[architecture()], 1, 0),
        _Step(_RETURN, _KILL),
        _Step(_LOAD, _NUMBER_AT),
        _Step(_JUMP_GREATER, _X32 - 1, 0, 1),
        _Step(_RETURN, _ERRNO | errno.EPERM),
    ]
    code = b"".join(step.packed() for step in [*prologue, *steps, _Step(_RETURN, _ALLOW)])
    forbid_new_privileges()
    program = _Program(len(code) // 8, code)
    system_call(_SECCOMP[architecture()], _SET_MODE_FILTER, 0, ctypes.byref(program))
