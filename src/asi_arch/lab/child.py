"""What a forked child does: one job, then it ends. Candidate code runs here and in no other process."""

import contextlib
import ctypes
import os
import random
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, NamedTuple

from asi_arch.lab.channel import Channel, Hangup
from asi_arch.lab.contract import (
    AttemptJob,
    Attempts,
    CheckJob,
    CheckTrainedJob,
    Failure,
    Report,
    ScoreJob,
    TrainJob,
)
from asi_arch.lab.loading import FILE_NAME, LoadFailure, Tampered
from asi_arch.lab.plain import plain_text
from asi_arch.lab.sandbox.attempts import attempt
from asi_arch.lab.sandbox.confinement import confine_child, confine_in_room

if TYPE_CHECKING:
    from asi_arch.lab.worker.integrity import Integrity

PR_SET_PDEATHSIG = 1
MAX_FILE_BYTES = 512 << 20
"""A compiler's precompiled header of torch has some 200 MiB."""
MAX_OPEN_FILES = 256
MAX_LOG_LINES = 40
_OWN_FOLDER = ("HOME", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
"""A cache that candidates share would be a way to poison the next one."""
MAX_CPU_S = 24 * 3600
"""A backstop; deadlines are the controller's."""


class Place(NamedTuple):
    """Where a child lives."""

    folder: str
    """Its home and the only place it may write to; not there yet."""
    is_contained: bool
    memory_mib: int
    room: str = ""
    """Where the folder is seen, in name spaces with nothing else to write to; empty where Landlock sees to that."""


def become_child(connection: int, log: int, *, parent: int, place: Place) -> None:
    """Cut every tie but the conversation and the log: session, signals, descriptors, limits, access."""
    os.setsid()
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(connection, 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 1 << 20 else 1 << 16)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    _die_first()
    _limit_memory(place.memory_mib)
    os.mkdir(place.folder, 0o700)
    os.chdir(place.folder)
    os.environ.clear()
    home = place.room or place.folder
    os.environ.update({name: home for name in _OWN_FOLDER}, PATH="/usr/local/bin:/usr/bin:/bin")
    tempfile.tempdir = None  # the warm parent's is not for us
    random.seed(0)
    if place.room:
        confine_in_room(place.folder, place.room)
    elif place.is_contained:
        confine_child(place.folder)


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends; elsewhere the closed socket has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit_memory(mib: int) -> None:
    """Of this process beyond what it has now; the warm parent watches the whole tree as well."""
    limit = _data_bytes() + (mib << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data_bytes() -> int:
    """Private writable memory of this process, touched or not."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next((int(line.split()[1]) << 10 for line in file if line.startswith("VmData:")), 0)


def _die_first() -> None:
    """When the machine runs out of memory, this process is to be ended and not the controller."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def serve_one_job(device: str) -> int:
    """Do the job that arrives on descriptor 3; returns the exit code. The time until it arrives is for rehearsing."""
    connection = socket.socket(fileno=3)
    channel = Channel(connection)
    integrity = None
    try:
        if device == "cpu" and not _is_readable(connection):
            integrity = _rehearse(device)
        _do(channel, integrity)
    except Hangup:
        return 0
    except Exception as error:  # noqa: BLE001  the wall: whatever the candidate raises becomes a message
        return _report(channel, error)
    return 0


def _is_readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


def _rehearse(device: str) -> "Integrity":
    from asi_arch.lab.rehearsal import fetch_memory, rehearse
    from asi_arch.lab.worker.integrity import Integrity

    rehearse(device)
    fetch_memory()
    return Integrity()


def _do(channel: Channel, integrity: "Integrity | None") -> None:
    job, arrays = channel.receive()
    if isinstance(job, TrainJob):
        from asi_arch.lab.worker.training import work

        work(job, channel, integrity)
    elif isinstance(job, ScoreJob):
        from asi_arch.lab.scorer.scoring import score

        score(job, channel)
    elif isinstance(job, CheckJob):
        from asi_arch.lab.checks import run_checks

        channel.send(Report(report=run_checks(job.source, job.setting, job.adapter)))
    elif isinstance(job, CheckTrainedJob):
        from asi_arch.lab.checks import check_trained

        channel.send(Report(report=check_trained(job.source, job.setting, arrays, job.adapter)))
    elif isinstance(job, AttemptJob):
        channel.send(Attempts(results=tuple(attempt(name, job.targets) for name in job.attempts)))


def _report(channel: Channel, error: Exception) -> int:
    if isinstance(error, Tampered):
        failure = Failure(reason=str(error), log="", is_tampering=True)
    else:
        failure = Failure(reason=plain_text(_reason(error))[:2000], log=plain_text(candidate_traceback(error)))
    try:
        channel.send(failure)
        channel.wait_for_hangup()
    except (Hangup, OSError):
        return 1
    return 0


def _reason(error: Exception) -> str:
    if isinstance(error, LoadFailure):
        return str(error) if error.line is None else f"line {error.line}: {error}"
    return f"{type(error).__name__}: {error}"


def candidate_traceback(error: BaseException) -> str:
    """The traceback from the candidate's first frame on: our frames above it say nothing to its author."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if frame.filename == FILE_NAME), 0)
    lines = traceback.format_list(frames[first:]) + traceback.format_exception_only(type(error), error)
    return "".join(lines[-MAX_LOG_LINES:])
