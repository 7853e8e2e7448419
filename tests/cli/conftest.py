import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .controller import search

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a campaign of six that ran to its end, one training after the other; to be read only.

    The processes of one test run share it: whoever needs it first makes it, the others wait.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    state = shared / "undisturbed"
    with (shared / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            with search(shared / "unfinished", "--workers", "1") as run:
                assert run.wait() == 0, run.text
            (shared / "unfinished").rename(state)
    return state


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No terminal, no user configuration; the corpus comes from the machine's cache."""
    cache = os.environ.get("ASI_ARCH_CACHE") or str(Path.home() / ".cache" / "asi-arch")
    return {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "ASI_ARCH_CACHE": cache, "COLUMNS": "160"}


@pytest.fixture
def asi_arch(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the command in an empty folder."""

    def run(
        *arguments: str | Path, timeout: float = 120, before: Callable[[], None] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "asi_arch", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=environment, cwd=tmp_path, preexec_fn=before
        )

    return run
