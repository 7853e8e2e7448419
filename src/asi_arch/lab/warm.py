"""The warm parent: imports torch once, then forks a fresh child per job. Never runs candidate code itself.

Started with the descriptor FD of a socket and a device as its arguments. On FD it takes requests, JSON in packets:

    {"op": "fork", "job": N}  with two descriptors: the job's socket and the end of its log
    {"op": "kill", "job": N}

and answers {"ready": cold_start_s, "cuda": bool}, {"forked": N, "pid": P} and {"exited": N, "status": S, "cpu_s": C,
"peak_mib": M}. When the controller's end closes, everything below it is ended, and then itself.
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
from typing import Any

from asi_arch.lab import processes
from asi_arch.lab.child import become_child, serve_one_job

PR_SET_CHILD_SUBREAPER = 36
MAX_PACKET = 1 << 16


class WarmParent:
    """Forks, reaps and kills. Single-threaded, so that forking is safe."""

    def __init__(self, control: socket.socket, device: str) -> None:
        self._control = control
        self._device = device
        self._jobs: dict[int, int] = {}
        self._waker, waking = socket.socketpair()
        waking.setblocking(False)
        self._waker.setblocking(False)
        self._waking = waking
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the controller hangs up."""
        while True:
            ready, _, _ = select.select([self._control, self._waker], [], [])
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
                become_child(*descriptors, parent=parent)
                code = serve_one_job(self._device)
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
                words = {"status": os.waitstatus_to_exitcode(status), "cpu_s": usage.ru_utime + usage.ru_stime}
                reports.append({"exited": self._jobs.pop(pid), "peak_mib": usage.ru_maxrss / 1024, **words})
        if reports:
            self._end_orphans()
        for report in reports:
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
    started = time.monotonic()
    control = socket.socket(fileno=int(sys.argv[1]))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = WarmParent(control, sys.argv[2])
    warm_up(sys.argv[2])
    gc.collect()
    gc.freeze()
    parent.say(ready=time.monotonic() - started, cuda=has_cuda())
    parent.serve()


if __name__ == "__main__":
    main()
