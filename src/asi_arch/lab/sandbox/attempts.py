"""What an escaping candidate would try. Run by a child that is confined like any other; a refusal is the good end.

Each attempt returns what it got hold of, and an empty string when it was refused.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from asi_arch.domain.record import Record

_PTRACE_ATTACH = 16
_PATIENCE_S = 2.0


class Targets(Record):
    """What the controller has put up for the attempts: none of it may be reached."""

    secret_file: str
    store_file: str
    outside_folder: str
    tcp_port: int
    udp_port: int
    unix_socket: str
    controller: int
    """Its process."""


class Attempted(Record):
    """The result of one attempt."""

    name: str
    got: str
    """What it got hold of; empty when it was refused."""
    refusal: str
    """What the kernel said."""


def read_secret(targets: Targets) -> str:
    """A file of the user's."""
    return Path(targets.secret_file).read_text(encoding="utf-8")


def read_store(targets: Targets) -> str:
    """The campaign's store."""
    return f"{len(Path(targets.store_file).read_bytes())} bytes"


def read_environment(targets: Targets) -> str:
    """The environment of the controller or of anybody else: that is where keys are."""
    found: list[str] = []
    for name in (str(targets.controller), *filter(str.isdigit, os.listdir("/proc"))):
        try:
            content = Path(f"/proc/{name}/environ").read_bytes()
        except OSError:
            continue
        if int(name) != os.getpid() and content:
            found.append(f"{content.count(b'=')} variables of process {name}")
    if not found:
        raise PermissionError("no other process's environment can be read")
    return "; ".join(found)


def write_outside(targets: Targets) -> str:
    """A file beside the user's."""
    path = Path(targets.outside_folder) / "written-by-a-candidate"
    path.write_text("gotcha", encoding="utf-8")
    return str(path)


def write_to_code(_targets: Targets) -> str:
    """Our own program, to change the next run."""
    with open(__file__, "a", encoding="utf-8"):
        return __file__


def enter_next_door(_targets: Targets) -> str:
    """The place where other candidates have their folders."""
    above = Path(os.environ["HOME"]).parent
    (above / "left-for-the-next").write_text("gotcha", encoding="utf-8")
    return str(above)


def write_anywhere(_targets: Targets) -> str:
    """The places where on most machines everybody may leave something."""
    written: list[str] = []
    refused = OSError()
    for folder in ("/", "/dev", "/dev/shm", "/dev/mqueue", "/run", "/tmp", "/var/tmp"):
        path = Path(folder) / "left-for-the-next"
        try:
            path.touch()
        except OSError as error:
            refused = error
        else:
            written.append(folder)
            path.unlink()
    if not written:
        raise refused
    return "files in " + ", ".join(written)


def expose_parent(_targets: Targets) -> str:
    """The warm parent's place in the order in which processes die when memory is short."""
    path = Path(f"/proc/{os.getppid()}/oom_score_adj")
    path.write_text(path.read_text(encoding="ascii"), encoding="ascii")
    return "its place could be set"


def connect_tcp(targets: Targets) -> str:
    """A server on this machine."""
    with socket.create_connection(("127.0.0.1", targets.tcp_port), _PATIENCE_S):
        return "connected"


def send_udp(targets: Targets) -> str:
    """A packet to this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"gotcha", ("127.0.0.1", targets.udp_port))
    return "sent"


def connect_unix(targets: Targets) -> str:
    """A unix socket, such as Docker's."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(targets.unix_socket)
    return "connected"


def resolve_name(_targets: Targets) -> str:
    """A host's name."""
    return str(socket.getaddrinfo("localhost", 80)[0][4])


def signal_others(targets: Targets) -> str:
    """The warm parent and the controller. Signal 0 asks only whether one might."""
    for pid in (os.getppid(), targets.controller):
        try:
            os.kill(pid, 0)
        except OSError as error:
            refused = error
        else:
            return f"process {pid} could be signalled"
    raise refused


def trace_parent(_targets: Targets) -> str:
    """Memory of the warm parent, by attaching to it."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(_PTRACE_ATTACH, os.getppid(), None, None) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return "attached"


def limit_others(_targets: Targets) -> str:
    """The warm parent's limits: a second of CPU time would end all research."""
    import resource

    resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))
    return "limits changed"


def change_a_mode(targets: Targets) -> str:
    """The permissions of a file of the user's."""
    os.chmod(targets.secret_file, 0o666)
    return "readable by everybody"


def list_processes(targets: Targets) -> str:
    """The controller's command line."""
    return Path(f"/proc/{targets.controller}/cmdline").read_text(encoding="utf-8")


def leave_a_message(_targets: Targets) -> str:
    """Memory that outlives its process, where the next scorer could find it."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.shmget(0x517, 4096, 0o1600) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return "shared memory"


def leave_the_namespace(_targets: Targets) -> str:
    """A name space in which one is root."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(0x10000000) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return "a user name space of its own"


QUIET: dict[str, Callable[[Targets], str]] = {
    "read a secret file": read_secret,
    "read the store": read_store,
    "read the environment of another process": read_environment,
    "write outside of its folder": write_outside,
    "write to our code": write_to_code,
    "write where other candidates are": enter_next_door,
    "write where everybody may": write_anywhere,
    "let the parent die first": expose_parent,
    "open a TCP connection": connect_tcp,
    "send a UDP packet": send_udp,
    "open a unix socket": connect_unix,
    "resolve a name": resolve_name,
    "signal the parent or the controller": signal_others,
    "trace the parent": trace_parent,
    "change the parent's limits": limit_others,
    "change the mode of a file": change_a_mode,
    "see other processes": list_processes,
    "leave shared memory behind": leave_a_message,
    "open a name space of its own": leave_the_namespace,
}
"""Attempts that leave no trace where they are refused."""


def bomb(_targets: Targets) -> str:
    """Processes that start processes."""
    for _ in range(1000):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    time.sleep(_PATIENCE_S)
    return "1,000 processes"


def hog(_targets: Targets) -> str:
    """All memory there is."""
    held: list[bytearray] = []
    for _ in range(64):
        held.append(bytearray(b"x") * (1 << 30))
    return f"{len(held)} GiB"


def fill(_targets: Targets) -> str:
    """A large file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb") as file:
        file.seek(1 << 30)
        file.write(b"x")
    return "a file of 1 GiB"


def flood(_targets: Targets) -> str:
    """An endless log."""
    for _ in range(400):
        os.write(1, b"x" * (1 << 16))
    return ""


def leave_a_grandchild(_targets: Targets) -> str:
    """A process in a session of its own that should outlive its parent."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    return ""


LOUD: dict[str, Callable[[Targets], str]] = {
    "start a thousand processes": bomb,
    "take 64 GiB of memory": hog,
    "write a file of 1 GiB": fill,
    "print 25 MiB": flood,
    "leave a process behind": leave_a_grandchild,
}
"""Attempts that are ended by limits; each wants a child for itself."""


def attempt(name: str, targets: Targets) -> Attempted:
    """Try one; whatever it raises is a refusal."""
    try:
        got = {**QUIET, **LOUD}[name](targets)
    except (OSError, MemoryError, ValueError) as error:
        refusal = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        return Attempted(name=name, got="", refusal=refusal)
    return Attempted(name=name, got=got, refusal="")
