"""Limits by cgroup v2: what is written where, on a folder that looks like the kernel's, and for real if we may."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asi_arch.lab.sandbox import cgroup
from asi_arch.lab.sandbox.cgroup import Limits, NoLimits, open_group

GONE = 2**22 + 1
"""Larger than any process's number."""
MakeKernel = Callable[..., "LookAlike"]


class LookAlike:
    """A folder that behaves like cgroupfs as far as we use it, and a /proc that leads there."""

    def __init__(self, folder: Path, own: str) -> None:
        self.top = folder / "cgroup fs"
        self.proc = folder / "proc"
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "self/cgroup").write_text(f"4:memory:/elsewhere\n0::{own}\n")
        mounted = str(self.top).replace(" ", "\\040")
        self.mount_table(f"41 31 0:38 / {mounted} rw,relatime - cgroup2 cgroup2 rw\n")
        self.refused_moves = False
        self.has_swap = True

    def mount_table(self, *lines: str) -> None:
        """What /proc/self/mountinfo shows, besides a disk."""
        (self.proc / "self/mountinfo").write_text("".join(("23 1 254:0 / / rw - ext4 /dev/vda rw\n", *lines)))

    def group(self, path: str, *, offered: str = "memory pids", passed_on: str = "", processes: str = "") -> Path:
        """A group that was there before us."""
        place = self.top / path
        place.mkdir(parents=True, exist_ok=True)
        contents = {"controllers": offered, "subtree_control": passed_on, "procs": processes, "kill": ""}
        for name, content in contents.items():
            (place / f"cgroup.{name}").write_text(content)
        return place

    def make(self, path: Path) -> None:
        """As `mkdir` in cgroupfs: the control files are there at once."""
        passed_on = (path.parent / "cgroup.subtree_control").read_text()
        self.group(str(path.relative_to(self.top)), offered=passed_on)
        names = ["pids.max"] if "pids" in passed_on else []
        names += ["memory.max", "memory.oom.group", "memory.events"] if "memory" in passed_on else []
        names += ["memory.swap.max"] if "memory" in passed_on and self.has_swap else []
        for name in names:
            (path / name).write_text("")

    def remove(self, path: Path) -> bool:
        """As `rmdir` in cgroupfs: refused with something in it."""
        if (path / "cgroup.procs").read_text() or any(entry.is_dir() for entry in path.iterdir()):
            return False
        shutil.rmtree(path)
        return True

    def write(self, path: Path, value: str) -> None:
        """As the kernel takes it: controllers are added to those passed on, processes are moved."""
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if path.name == "cgroup.procs" and self.refused_moves:
            raise PermissionError(errno.EACCES, "Permission denied")
        if path.name != "cgroup.subtree_control":
            path.write_text(value)
            return
        if (path.parent / "cgroup.procs").read_text() and path.parent != self.top:
            raise OSError(errno.EBUSY, "Device or resource busy")
        path.write_text(" ".join((path.read_text(), *(word[1:] for word in value.split()))).strip())


@pytest.fixture
def make_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeKernel:
    def make(own: str) -> LookAlike:
        kernel = LookAlike(tmp_path, own)
        monkeypatch.setattr(cgroup, "_make", kernel.make)
        monkeypatch.setattr(cgroup, "_remove", kernel.remove)
        monkeypatch.setattr(cgroup, "_write", kernel.write)
        return kernel

    return make


@pytest.fixture
def desktop(make_kernel: MakeKernel) -> LookAlike:
    """A user's terminal, in a group of its own below one that systemd has handed to the user."""
    kernel = make_kernel("/app.slice/terminal.scope")
    kernel.group("", passed_on="memory")
    kernel.group("app.slice", passed_on="cpu memory pids")
    kernel.group("app.slice/terminal.scope", processes="1 2 3")
    return kernel


def _ours(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.name.startswith("asi-arch-")]


def test_the_nearest_group_that_passes_both_on_is_taken_and_nothing_around_it_changed(desktop: LookAlike) -> None:
    limits = Limits(100, desktop.proc)
    assert limits.description == "cgroup v2 (memory, pids)"
    assert len(_ours(desktop.top / "app.slice")) == 1
    assert (desktop.top / "app.slice/cgroup.subtree_control").read_text() == "cpu memory pids"
    assert (desktop.top / "cgroup.subtree_control").read_text() == "memory"
    limits.close()
    assert _ours(desktop.top / "app.slice") == []


def test_in_the_root_controllers_are_asked_for_though_processes_are_in_it(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("/")
    kernel.group("", offered="hugetlb memory pids", processes="1 2")
    limits = Limits(100, kernel.proc)
    assert limits.description == "cgroup v2 (memory, pids)"
    assert set((kernel.top / "cgroup.subtree_control").read_text().split()) == {"memory", "pids"}
    limits.close()


def test_one_controller_is_better_than_none(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("/")
    kernel.group("", offered="pids")
    limits = Limits(100, kernel.proc)
    limits.hold(1, 77)
    (leaf,) = _ours(kernel.top)[0].glob("job-*")
    assert limits.description == "cgroup v2 (pids)"
    assert not (leaf / "memory.max").exists()
    assert limits.release(1) == ""


@pytest.mark.parametrize("has_swap", [True, False])
def test_a_leaf_gets_its_limits_and_then_its_process(desktop: LookAlike, has_swap: bool) -> None:
    desktop.has_swap = has_swap
    limits = Limits(100, desktop.proc)
    limits.hold(7, 4711)
    (leaf,) = _ours(desktop.top / "app.slice")[0].glob("job-*")
    assert leaf.name == "job-7"
    assert (leaf / "memory.max").read_text() == str(100 << 20)
    assert (leaf / "memory.oom.group").read_text() == "1"
    assert (leaf / "pids.max").read_text() == str(cgroup.MAX_TASKS)
    assert (leaf / "cgroup.procs").read_text() == "4711"
    assert (leaf / "memory.swap.max").exists() == has_swap
    assert not has_swap or (leaf / "memory.swap.max").read_text() == "0"


def test_a_leaf_is_removed_with_its_child_and_an_end_for_want_of_memory_is_said(desktop: LookAlike) -> None:
    limits = Limits(100, desktop.proc)
    for job, killed in ((1, 0), (2, 1)):
        limits.hold(job, 4711)
        leaf = _ours(desktop.top / "app.slice")[0] / f"job-{job}"
        (leaf / "memory.events").write_text(f"low 0\nhigh 0\nmax 9\noom {killed}\noom_kill {killed}\n")
        (leaf / "cgroup.procs").write_text("")
        said = limits.release(job)
        assert said == ("it held 100 MiB of memory and asked for more, 100 are allowed" if killed else "")
        assert not leaf.exists()


def test_what_is_still_in_a_leaf_is_killed(desktop: LookAlike) -> None:
    limits = Limits(100, desktop.proc)
    limits.hold(1, 4711)
    limits.release(1)
    assert (_ours(desktop.top / "app.slice")[0] / "job-1/cgroup.kill").read_text() == "1"


def test_after_a_refused_move_no_more_leaves_are_made_and_others_keep_theirs(desktop: LookAlike) -> None:
    limits = Limits(100, desktop.proc)
    limits.hold(1, 11)
    desktop.refused_moves = True
    limits.hold(2, 12)
    limits.hold(3, 13)
    assert limits.description == "watched by the parent (a process could not be put into a cgroup: Permission denied)"
    group = _ours(desktop.top / "app.slice")[0]
    assert {path.name for path in group.glob("job-*")} == {"job-1", "job-2"}
    assert (group / "job-1/cgroup.kill").read_text() == ""


def test_a_group_that_is_mounted_from_further_down_is_found(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("/machine/box/inner")
    mounted = str(kernel.top).replace(" ", "\\040")
    kernel.mount_table(
        "40 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
        f"41 31 0:38 /machine/box {mounted} rw shared:4 - cgroup2 cgroup2 rw\n",
    )
    kernel.group("", passed_on="memory pids")
    kernel.group("inner", processes="1")
    assert open_group(kernel.proc).controllers == ("memory", "pids")
    assert len(_ours(kernel.top)) == 1


def test_without_cgroup_v2_the_reason_is_said(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("/")
    kernel.mount_table("40 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n")
    assert Limits(100, kernel.proc).description.startswith("watched by the parent (no cgroup v2 is mounted")


def test_controllers_that_version_1_holds_can_not_be_had(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("/")
    kernel.group("", offered="hugetlb")
    with pytest.raises(NoLimits, match="neither memory nor pids"):
        open_group(kernel.proc)


def _nowhere(_place: Path) -> bool:
    return False


def test_where_nothing_may_be_written_the_way_out_is_named(desktop: LookAlike, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "_is_writable", _nowhere)
    limits = Limits(100, desktop.proc)
    limits.hold(1, 11)
    assert "systemd-run --user --scope" in limits.description
    assert limits.release(1) == ""
    limits.close()


def test_a_group_with_processes_in_it_passes_nothing_on(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("/box/inner")
    kernel.group("", offered="")
    kernel.group("box", processes="5")
    kernel.group("box/inner", processes="6")
    with pytest.raises(NoLimits, match="passes memory or pids on"):
        open_group(kernel.proc)


def test_what_killed_controllers_left_is_removed_and_nothing_else(desktop: LookAlike) -> None:
    place = desktop.top / "app.slice"
    left = [f"asi-arch-{GONE}-0123abcd", f"asi-arch-{GONE}-0123abcd/job-1"]
    kept = {f"asi-arch-{os.getpid()}-00000000", f"asi-arch-{GONE}-11111111", f"asi-arch-{GONE}-mine", "firefox.scope"}
    for name in (*left, *kept, f"asi-arch-{GONE}-22222222"):
        desktop.group(f"app.slice/{name}")
    desktop.group(f"app.slice/asi-arch-{GONE}-22222222", processes="99")
    lock = os.open(place / f"asi-arch-{GONE}-11111111", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    before = {path.name for path in place.iterdir() if path.is_dir()}
    limits = Limits(100, desktop.proc)
    limits.close()
    os.close(lock)
    assert before - {path.name for path in place.iterdir()} == {left[0]}


HOLDER = """
import sys, time
from asi_arch.lab.sandbox.cgroup import Limits
limits = Limits(64)
limits.hold(1, int(sys.argv[1]))
print(limits.description, flush=True)
time.sleep(60)
"""
HOG = "import sys; sys.stdin.readline(); held = [bytearray(b'x') * (1 << 20) for _ in range(200)]; print('all of it')"
BOMB = """
import os, sys, threading, time
sys.stdin.readline()
started = 0
try:
    for started in range(2000):
        threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
except RuntimeError:
    pass
print(started, flush=True)
os._exit(0)
"""


@pytest.fixture
def limits() -> Iterator[Limits]:
    found = Limits(64)
    if not found.description.startswith("cgroup v2"):
        pytest.skip(f"NOT TESTED FOR REAL: {found.description}")
    yield found
    found.close()


def _started(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _held(limits: Limits, code: str) -> tuple[int, str]:
    """Exit code and output of a program that starts when it is in its group."""
    with _started(code) as process:
        limits.hold(1, process.pid)
        said, _ = process.communicate("go\n", timeout=60)
    return process.returncode, said


def test_for_real_a_process_that_wants_too_much_is_killed_and_it_is_said_why(limits: Limits) -> None:
    if "memory" not in limits.description:
        pytest.skip(f"NOT TESTED FOR REAL: {limits.description} without memory")
    assert _held(limits, HOG) == (-signal.SIGKILL, "")
    assert limits.release(1) == "it held 64 MiB of memory and asked for more, 64 are allowed"


def test_for_real_a_process_has_only_so_many_tasks(limits: Limits) -> None:
    if "pids" not in limits.description:
        pytest.skip(f"NOT TESTED FOR REAL: {limits.description} without pids")
    _, said = _held(limits, BOMB)
    assert 400 < int(said) < cgroup.MAX_TASKS
    assert limits.release(1) == ""


def test_for_real_the_next_controller_removes_what_a_killed_one_left(limits: Limits) -> None:
    with _started("input()") as child:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(child.pid)], stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        assert holder.stdout is not None
        assert holder.stdout.readline().startswith("cgroup v2")
        holder.kill()
        holder.communicate()
        group = _group_of(child.pid)
        Limits(64).close()
        assert group.exists(), "a process was in it"
        child.communicate("\n")
    Limits(64).close()
    assert not group.exists()


def _group_of(pid: int) -> Path:
    """Of a controller's child."""
    own = next(line[3:] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))
    tops = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line]
    return Path(tops[0] + own).parent
