"""The command in a process of its own, as a terminal starts it, and what its state folder tells afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.outcome import RunKey
from asi_arch.folders import opened_store
from asi_arch.lab import processes

PATIENCE_S = 200.0
"""For a line or an end that must come; a busy machine may take a hundred times what an idle one needs."""
COSTS: dict[str, Any] = {
    "cost": True,
    "started_at": True,
    "finished_at": True,
    "checks": {"cpu_s", "wall_s", "speeds"},
    "runs": {"__all__": {"cpu_s", "score_cpu_s", "check_cpu_s", "check_wall_s", "wall_s", "peak_mib"}},
}
"""What two equal campaigns may differ in."""


def _as_from_a_terminal(before: Callable[[], None] | None) -> None:
    """A shell's background job, which the tests may be, has its interruptions ignored; so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if before is not None:
        before()


class Controller:
    """The running command, line by line; what goes to standard error is among the lines."""

    def __init__(self, *arguments: str | Path, before: Callable[[], None] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asi_arch", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=lambda: _as_from_a_terminal(before),
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Controller":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def text(self) -> str:
        """All that it has printed."""
        return "\n".join(self.lines)

    def wait_for(self, *parts: str) -> None:
        """Until one line holds all the parts."""
        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while not any(all(part in line for part in parts) for line in self.lines):
                is_over = not self._reader.is_alive() or time.monotonic() > deadline
                assert not is_over, f"no line with {parts} in:\n{self.text}"
                self._news.wait(0.5)

    def wait(self) -> int:
        """Until it ends by itself; its exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def send(self, number: signal.Signals) -> None:
        """To the process group, as a terminal does at Ctrl-C."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL to the controller alone, and nothing of it may be left."""
        family = self.family()
        self.process.kill()
        self.process.wait(PATIENCE_S)
        assert_gone(family)

    def family(self) -> "Family":
        """The processes below it."""
        below = processes.descendants(self.process.pid)
        return Family(below, {mark for pid in below if (mark := _mark(pid))})

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()


def search(
    state: Path,
    *options: str,
    experiments: int = 6,
    profile: str | Path = "smoke",
    before: Callable[[], None] | None = None,
) -> Controller:
    """`asi-arch run`, just started."""
    limits = ("--profile", profile, "-n", str(experiments))
    return Controller("run", "--plain", *limits, "--state", state, *options, before=before)


class Family(NamedTuple):
    """Processes that a controller has started, and the marks by which later ones are found."""

    pids: set[int]
    marks: set[bytes]

    def alive(self) -> set[int]:
        """Those of them, or with one of their marks, that still run."""
        marked = {int(name) for name in os.listdir("/proc") if name.isdigit() and _mark(int(name)) in self.marks}
        return {pid for pid in self.pids | marked if processes.is_alive(pid)}


def assert_gone(family: Family) -> None:
    """Nothing of the family is left; it may take a moment to end, for example while it imports torch."""
    deadline = time.monotonic() + PATIENCE_S
    while (left := family.alive()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"left behind: {left}"


def _mark(pid: int) -> bytes | None:
    """By which the lab knows the processes that it started."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return next((word for word in words if word.startswith(b"ASI_ARCH_LAB=")), None)


class Story(NamedTuple):
    """All that a campaign has found, without times and costs."""

    proposals: dict[int, Any]
    experiments: list[Any]
    fitness: dict[int, float | None]


def story(state: Path) -> Story:
    """What the folder tells; every blob that it names is read as well."""
    with opened_store(state, read_only=True) as store:
        experiments = list(store.experiments())
        for run in (run for experiment in experiments for run in experiment.runs if run.weights):
            assert store.blob(run.weights)
        return Story(
            {index: proposal.model_dump(mode="json") for index, proposal in store.proposals().items()},
            [experiment.model_dump(mode="json", exclude=COSTS) for experiment in experiments],
            {summary.index: summary.fitness for summary in store.summaries()},
        )


def finished_runs(state: Path) -> dict[str, Any]:
    """Every finished training with its costs, by its key."""
    with opened_store(state, read_only=True) as store:
        finished = [event.payload for event in store.events() if event.kind is EventKind.RUN_FINISHED]
        keys = [RunKey.model_validate({k: v for k, v in item.items() if k != "outcome"}) for item in finished]
        return {str(key): found.model_dump(mode="json") for key in keys if (found := store.run(key))}


def assert_nothing_was_done_twice(state: Path) -> None:
    """Every index was proposed and recorded once, every training finished once."""
    with opened_store(state, read_only=True) as store:
        events = store.events()
    once = {EventKind.PROPOSED, EventKind.RECORDED, EventKind.RUN_FINISHED}
    done = Counter((e.kind, e.experiment, tuple(sorted(e.payload.items()))) for e in events if e.kind in once)
    indices = Counter((e.kind, e.experiment) for e in events if e.kind in once - {EventKind.RUN_FINISHED})
    assert done and max(done.values()) == 1
    assert max(indices.values()) == 1
