"""The outer wall where the kernel has no Landlock and Podman is installed: a container without network.

Its file system is a folder with empty places for `/usr`, Python and our packages, which are mounted there read-only.
Nothing in it is root, in root's own containers neither: its user is an ordinary one in a name space of users. No image
is used. It runs on the CPU only.
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from asi_arch.lab.leftovers import own_folder
from asi_arch.lab.sandbox.confinement import code_paths
from asi_arch.lab.sandbox.name_spaces import way_to_name_spaces

SCRATCH = "/scratch"
"""Where nothing else can lie, our own code included."""
CONNECTION = 3
"""The one descriptor that is handed through."""
_SCRATCH_BYTES = 1 << 30
_PATIENCE_S = 60
_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_PODMANS_OWN = ("/run/.containerenv", "/etc/hosts", "/etc/hostname", "/etc/passwd", "/etc/group", "/etc/resolv.conf")
_ALONE = ("--network=none", "--ipc=none", "--cap-drop=all", "--security-opt=no-new-privileges", "--read-only")
_PLAIN = ("--rm", "--read-only-tmpfs=false", "--log-driver=none", "--no-hosts", "--http-proxy=false", "--workdir=/")
_NOBODY_ELSE = 2_000_000_000
"""Outside, the number of the user that is called root inside a container of root's: it owns nothing."""
_USER = 1000
_FILTER_IS_OURS = "--security-opt=seccomp=unconfined"
"""Children need calls that Podman's filter may refuse, to make their rooms; afterwards ours is stricter."""
_NOT_RELABELLED = "--security-opt=label=disable"
"""SELinux would want labels of its own on Python and on our code."""
_RUNTIMES = ("", "crun", "runc")
"""What Podman is set up with, or else whichever works."""
_WITH_CONNECTION = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); os.execvp(sys.argv[2], sys.argv[2:])"
)
_TRIAL = "import sys; del sys.path[0]; from asi_arch.lab.sandbox.room import try_to_move; try_to_move(sys.argv[1])"


class Shell:
    """The folder that a container begins with, and where its number is told."""

    def __init__(self) -> None:
        self._folder = own_folder("container")
        self.root = Path(self._folder.name) / "root"
        self.pid_file = Path(self._folder.name) / "pid"
        for path in ("/proc", "/sys", "/dev", "/tmp", SCRATCH, "/usr", *_merged_folders(), *_mounted_paths()):
            place = self.root / path.lstrip("/")
            if path == SCRATCH or os.path.isdir(path):
                place.mkdir(parents=True, exist_ok=True)
            else:
                _make_file(place)
        for path in _PODMANS_OWN:
            _make_file(self.root / path.lstrip("/"))
        for path in _MERGED:
            if os.path.islink(path):
                (self.root / path.lstrip("/")).symlink_to(os.readlink(path))
        (self.root / SCRATCH.lstrip("/")).chmod(0o1777)
        Path(self._folder.name).chmod(0o755)

    def pid(self) -> int | None:
        """Our number of the first process inside; None as long as there is none."""
        try:
            return int(self.pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        """Its container has ended."""
        self._folder.cleanup()


def command(program: Sequence[str], environment: Mapping[str, str], shell: Shell, *, connection: int) -> list[str]:
    """`program` inside the wall, with this environment and no other; our descriptor `connection` is its third.

    To be started with the environment of the user, in which Podman finds its own things. Raises `OSError` where it
    can't be had.
    """
    words = _words(_runtime(), shell)
    variables = [f"{name}={value}" for name, value in environment.items()]
    inside = ["/usr/bin/env", "-i", *variables, *program]
    podman = [*words, "--preserve-fds=1", "--rootfs", str(shell.root), *inside]
    return [sys.executable, "-I", "-S", "-c", _WITH_CONNECTION, str(connection), *podman]


@lru_cache
def complaint() -> str:
    """Why it can't be used here; empty where it can. Tried, not guessed."""
    try:
        _runtime()
    except OSError as error:
        return str(error)
    return ""


@lru_cache
def _runtime() -> str:
    """The first one that works. Raises `OSError` with what the last one said."""
    if _executable() is None:
        raise FileNotFoundError("podman is not installed (Debian, Ubuntu: apt install podman crun uidmap)")
    said = ""
    for runtime in _RUNTIMES:
        shell = Shell()
        try:
            trial = [*_words(runtime, shell), "--rootfs", str(shell.root), sys.executable, "-s", "-c", _TRIAL, SCRATCH]
            done = subprocess.run(
                trial, capture_output=True, text=True, timeout=_PATIENCE_S, check=False, start_new_session=True
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OSError(f"podman does not start: {error}") from error
        finally:
            shell.remove()
        if done.returncode == 0:
            return runtime
        said = said or done.stderr.strip()[-300:] or f"exit code {done.returncode}"
    way = _half_missing() or _other_runtime(said) or way_to_name_spaces(said)
    raise OSError(f"podman does not work here: {said}{way}")


def _half_missing() -> str:
    """Which of the programs that Podman needs are not there, in words to append; empty where all are."""
    wanted = {"crun": ("crun", "runc"), **({"uidmap": ("newuidmap",)} if os.geteuid() else {})}
    packages = [name for name, programs in wanted.items() if not any(map(shutil.which, programs))]
    return f" (half of it is missing; Debian, Ubuntu: apt install {' '.join(packages)})" if packages else ""


def _other_runtime(said: str) -> str:
    """What helps where crun refuses cgroups of both versions side by side, in words to append; empty elsewhere."""
    is_refused = "hybrid" in said and shutil.which("runc") is None
    return " (runc does not mind; Debian, Ubuntu: apt install runc)" if is_refused else ""


def _words(runtime: str, shell: Shell) -> list[str]:
    words = [_executable() or "podman", *([f"--runtime={runtime}"] if runtime else []), "run"]
    words += [*_PLAIN, *_ALONE, _FILTER_IS_OURS, _NOT_RELABELLED, *_mapped_users(), f"--pidfile={shell.pid_file}"]
    words += [f"--ulimit={name}={limit}:{limit}" for name, limit in _limits().items()]
    words.append(f"--tmpfs={SCRATCH}:rw,nosuid,nodev,size={_SCRATCH_BYTES},notmpcopyup")
    shown = ("/usr", *_merged_folders(), *_mounted_paths())
    return [*words, *(f"--volume={os.path.realpath(path)}:{path}:ro" for path in shown)]


def _mapped_users() -> list[str]:
    """Whoever we are is an ordinary user inside, because who is called root there could not make a room for a child."""
    if os.geteuid():
        return ["--userns=keep-id"]
    maps = [f"{inside}:{outside}:1" for inside, outside in ((0, _NOBODY_ELSE), (_USER, 0))]
    words = [f"--{kind}map={pair}" for kind in ("uid", "gid") for pair in maps]
    return [*words, f"--user={_USER}:{_USER}"]


def _limits() -> dict[str, int]:
    """No more than we have: a container may not raise them."""
    wanted = {"nofile": (resource.RLIMIT_NOFILE, 1024), "nproc": (resource.RLIMIT_NPROC, 4096)}
    found = {name: (resource.getrlimit(kind)[1], most) for name, (kind, most) in wanted.items()}
    return {name: most if hard == resource.RLIM_INFINITY else min(hard, most) for name, (hard, most) in found.items()}


def _merged_folders() -> list[str]:
    """Those that are not links into /usr on this machine."""
    return [path for path in _MERGED if os.path.isdir(path) and not os.path.islink(path)]


def _mounted_paths() -> list[str]:
    outside = [path for path in code_paths() if not path.startswith("/usr/")]
    return [*(path for path in _FILES if os.path.exists(path)), *outside]


def _make_file(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()


def _executable() -> str | None:
    return shutil.which("podman")
