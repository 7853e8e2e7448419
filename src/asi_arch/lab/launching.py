"""Starting the warm parent's process behind the walls of a tier. Free of torch."""

import os
import socket
import subprocess
import sys
import tempfile
from typing import IO

from asi_arch.domain.errors import LabError, UserError
from asi_arch.lab import processes
from asi_arch.lab.leftovers import own_folder, remove_abandoned
from asi_arch.lab.sandbox import bubblewrap, container
from asi_arch.lab.sandbox.tier import Tier

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",  # a set of names has the same order in every lab
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # freed tensors stay with the process and are not faulted in again
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""All that a child inherits, besides the lab's mark: no home, no keys."""
_DEVICES = {"cpu": {"CUDA_VISIBLE_DEVICES": ""}, "cuda": {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}}
_ENTRY = "import sys; del sys.path[0]; from asi_arch.lab.warm import main; main()"
"""Not `-I`, which would ignore the hash seed as well; the environment is ours, the current folder is left out."""


class Launched:
    """A process that was started, our end of its socket, and what is to be removed when it has ended.

    Folders of controllers that were killed before they could remove them are removed first.
    """

    def __init__(self, device: str, tier: Tier, memory_mib: int) -> None:
        """Start a warm parent. Raises `UserError` where the tier has no such device, `LabError` without Podman."""
        if tier is Tier.CONTAINER and device != "cpu":
            raise UserError(
                f"the tier 'container' runs on the CPU only, not on '{device}'; set containment to 'bubblewrap' or"
                " 'landlock', or try --profile cpu"
            )
        remove_abandoned()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the process
        self._mark = os.urandom(8).hex()
        self._waited_s = 0.0
        self._shell = container.Shell() if tier is Tier.CONTAINER else None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        if tier in (Tier.LANDLOCK, Tier.NONE):
            self._scratch = own_folder("lab")
        elsewhere = bubblewrap.SCRATCH if self._shell is None else container.SCRATCH
        place = elsewhere if self._scratch is None else self._scratch.name
        connection = theirs.fileno() if self._shell is None else container.CONNECTION
        program = [sys.executable, "-s", "-c", _ENTRY, str(connection), device, tier.value, place, str(memory_mib)]
        environment = {**_ENVIRONMENT, **_DEVICES[device], "ASI_ARCH_LAB": self._mark, "TMPDIR": place}
        if tier is Tier.BUBBLEWRAP:
            program = bubblewrap.command(program, environment, device=device)
        elif self._shell is not None:
            try:
                program = container.command(program, environment, self._shell, connection=theirs.fileno())
            except OSError as error:
                raise LabError(f"the container can't be started: {error}") from error
        self.process = subprocess.Popen(
            program,
            pass_fds=[theirs.fileno()],
            env=environment if self._shell is None else None,  # Podman is ours and needs its own
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.words,
            start_new_session=True,
        )
        theirs.close()
        self.control.setblocking(False)

    def pid_of(self, pid: int) -> int | None:
        """Our number of the warm parent, which calls itself `pid`; None where it is the process that was started.

        Raises `LabError` when the container does not tell it.
        """
        if self._shell is None:
            return processes.named_inside(processes.descendants(self.process.pid), pid)
        found = self._shell.pid()
        if found is None:
            raise LabError("podman does not tell the number of the container's process")
        return found

    def waited_s(self) -> float:
        """For how long what was started waited for a core so far; 0 where that can't be known.

        What stands between us and Python (bubblewrap, Podman) waits with it: the longest wait of one counts.
        """
        below = processes.tree(self.process.pid)
        shell_pid = self._shell.pid() if self._shell else None
        if shell_pid is not None:
            below |= processes.tree(shell_pid)
        self._waited_s = max(self._waited_s, *map(processes.waited_s, below))
        return self._waited_s

    def bury(self) -> None:
        """End what is left of it and remove its folders. May take a while."""
        processes.kill_marked(f"ASI_ARCH_LAB={self._mark}")
        if self._scratch is not None:
            self._scratch.cleanup()
        if self._shell is not None:
            self._shell.remove()

    def last_words(self) -> str:
        """What it printed, shortened. Once, when it has ended."""
        self.words.seek(0)
        said = self.words.read().decode(errors="replace").strip()[-2000:]
        self.words.close()
        return said
