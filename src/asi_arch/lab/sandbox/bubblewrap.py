"""The outer wall where the program `bwrap` is installed: own name spaces, and a file system that holds next to nothing.

The controller's home, the store, the validation data and the environment don't exist in there; there is no network, and
no process but the warm parent and its children.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache

from asi_arch.lab.sandbox.confinement import code_paths
from asi_arch.lab.sandbox.name_spaces import way_to_name_spaces

SCRATCH = "/tmp"
_SCRATCH_BYTES = 1 << 30
_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/sys/devices/system",
)
_ALONE = ("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL")
_TIED_TO_US = ("--die-with-parent", "--new-session")
_NVIDIA = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")


def command(program: Sequence[str], environment: Mapping[str, str], *, device: str) -> list[str]:
    """`program` inside the wall, with this environment and no other; open descriptors are handed through."""
    words = [_executable() or "bwrap", *_ALONE, *_TIED_TO_US, "--clearenv"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    words += ["--size", str(_SCRATCH_BYTES), "--tmpfs", SCRATCH]  # first: our own code may lie below it
    words += ["--ro-bind", "/usr", "/usr"]
    for path in _MERGED:
        words += ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind-try", path, path]
    for path in (*_FILES, *_outside_usr(code_paths())):
        words += ["--ro-bind-try", path, path]
    words += ["--proc", "/proc", "--dev", "/dev"]
    if device == "cuda":
        words += ["--ro-bind", "/sys", "/sys"]
        words += [word for node in _NVIDIA if os.path.exists(node) for word in ("--dev-bind", node, node)]
    return [*words, "--chdir", "/", "--", *program]


@lru_cache
def complaint() -> str:
    """Why it can't be used here; empty where it can. Tried, not guessed."""
    if _executable() is None:
        return "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)"
    try:
        trial = command(["true"], {"PATH": "/usr/bin:/bin"}, device="cpu")
        # In a session of its own: Ctrl-C at this moment says nothing about bubblewrap.
        done = subprocess.run(trial, capture_output=True, text=True, timeout=20, check=False, start_new_session=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    said = done.stderr.strip()[:300]
    return f"bubblewrap does not work here: {said}{way_to_name_spaces(said)}" if done.returncode else ""


def _executable() -> str | None:
    return shutil.which("bwrap")


def _outside_usr(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if not path.startswith("/usr/")]
