"""The warm parent: imports torch once, then forks a fresh child per job. Never runs candidate code itself.

Its arguments: the descriptor FD of a socket, a device, a tier of containment, a folder for its children's folders, and
how many MiB a child may hold. On FD it takes requests, JSON in packets:

    {"op": "fork", "job": N}  with two descriptors: the job's socket and the end of its log
    {"op": "kill", "job": N}

and answers {"ready": true, "cuda": bool, "pid": P}, {"forked": N, "pid": P} and {"exited": N, "status": S,
"cpu_s": C, "peak_mib": M, "excess": "for which limit it was ended, if for one"}. When the controller's end closes,
everything below it is ended, and then itself.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, NamedTuple

from asi_arch.lab import processes
from asi_arch.lab.child import Place, become_child, serve_one_job
from asi_arch.lab.sandbox.confinement import confine_parent, remove_folder
from asi_arch.lab.sandbox.tier import Tier

PR_SET_CHILD_SUBREAPER = 36
MAX_PACKET = 1 << 16
MAX_PROCESSES = 64
"""Of one child, itself included: room for a compiler, none for a fork bomb."""
WATCH_S = 0.2
"""Between two looks at what the children hold."""


class Terms(NamedTuple):
    """Under which conditions children run."""

    device: str
    tier: Tier
    scratch: str
    memory_mib: int

    def folder(self, job: int) -> str:
        """The one that a child may write to."""
        return os.path.join(self.scratch, f"job-{job}")


class WarmParent:
    """Forks, reaps and kills. Single-threaded, so that forking is safe."""

    def __init__(self, control: socket.socket, terms: Terms) -> None:
        self._control = control
        self._terms = terms
        self._jobs: dict[int, int] = {}
        self._excess: dict[int, str] = {}
        self._waker, waking = socket.socketpair()
        waking.setblocking(False)
        self._waker.setblocking(False)
        self._waking = waking
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the controller hangs up."""
        while True:
            ready, _, _ = select.select([self._control, self._waker], [], [], WATCH_S if self._jobs else None)
            if not ready:
                self._watch()
            if self._waker in ready:
                self._drain_waker()
                self._reap()
            if self._control in ready and not self._request():
                break
        self._end_all()

    def say(self, **words: object) -> None:
        """One packet to the controller; a controller that is gone is noticed by `serve`."""
        try:
            self._control.send(json.dumps(words).encode())
        except OSError:
            return

    def _request(self) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._control, MAX_PACKET, 2)
        if not packet:
            return False
        request: dict[str, Any] = json.loads(packet)
        if request["op"] == "fork":
            self._fork(int(request["job"]), descriptors)
        else:
            self._kill(int(request["job"]))
        return True

    def _fork(self, job: int, descriptors: list[int]) -> None:
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            code = 1
            try:
                terms = self._terms
                room = terms.scratch if terms.tier is Tier.CONTAINER else ""
                place = Place(terms.folder(job), terms.tier.is_contained, terms.memory_mib, room)
                become_child(*descriptors, parent=parent, place=place)
                code = serve_one_job(terms.device)
            finally:
                os._exit(code)
        self._jobs[pid] = job
        for descriptor in descriptors:
            os.close(descriptor)
        self.say(forked=job, pid=pid)

    def _kill(self, job: int) -> None:
        for pid, known in list(self._jobs.items()):
            if known == job:
                processes.kill_tree(pid)

    def _watch(self) -> None:
        """End whom the kernel's limits don't hold: they count for a process, or for a user, not for a tree."""
        for pid, job in self._jobs.items():
            tree = processes.tree(pid)
            held_mib = sum(map(processes.resident_mib, tree))
            if len(tree) > MAX_PROCESSES:
                self._excess[job] = f"it had more than {MAX_PROCESSES} processes"
            elif held_mib > self._terms.memory_mib:
                self._excess[job] = f"it held {held_mib:.0f} MiB of memory, {self._terms.memory_mib} are allowed"
            else:
                continue
            processes.kill_tree(pid)

    def _reap(self) -> None:
        """End what ended jobs left behind, which has become our own child; only then report them."""
        reports: list[dict[str, object]] = []
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self._jobs:
                job = self._jobs.pop(pid)
                words = {"status": os.waitstatus_to_exitcode(status), "cpu_s": usage.ru_utime + usage.ru_stime}
                excess = self._excess.pop(job, "")
                reports.append({"exited": job, "peak_mib": usage.ru_maxrss / 1024, "excess": excess, **words})
        if reports:
            self._end_orphans()
        for report in reports:
            remove_folder(self._terms.folder(int(str(report["exited"]))))
            self.say(**report)

    def _end_orphans(self) -> None:
        """Until we have no children but the jobs: ending one orphan may make others of its children."""
        own = os.getpid()
        while orphans := [pid for pid, up in processes.parents().items() if up == own and pid not in self._jobs]:
            for pid in orphans:
                processes.kill_tree(pid)
            for pid in orphans:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _end_all(self) -> None:
        while below := {pid for pid in processes.descendants(os.getpid()) if processes.is_alive(pid)}:
            for pid in below:
                processes.kill_tree(pid)
            time.sleep(0.005)
            self._reap()

    def _drain_waker(self) -> None:
        try:
            while self._waker.recv(4096):
                continue
        except BlockingIOError:
            return


def warm_up(device: str) -> None:
    """Import everything that a child needs, and go through its motions once."""
    import torch

    torch.set_num_threads(1)
    from asi_arch.lab.checks import running
    from asi_arch.lab.contract import decode, encode, sizes
    from asi_arch.lab.rehearsal import rehearse

    assert running and decode and encode and sizes
    rehearse(device)


def has_cuda() -> bool:
    """Whether a GPU can be used; asked of the driver's management library, which leaves no context behind."""
    import torch

    return torch.cuda.is_available()


def main() -> None:
    """Entry point."""
    control = socket.socket(fileno=int(sys.argv[1]))
    terms = Terms(sys.argv[2], Tier(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = WarmParent(control, terms)
    if terms.tier.is_contained:
        alone, rooms = terms.tier is not Tier.LANDLOCK, terms.tier is Tier.CONTAINER
        confine_parent(terms.scratch, is_alone=alone, makes_rooms=rooms)
    warm_up(terms.device)
    gc.collect()
    gc.freeze()
    parent.say(ready=True, cuda=has_cuda(), pid=os.getpid())
    parent.serve()


if __name__ == "__main__":
    main()
