"""What a command loads: who mistypes a word, or reads, does not wait for what trains and measures."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch

LAB = {"asi_arch.app", "asi_arch.minds", "asi_arch.lab.client", "asi_arch.agents.composer", "torch"}
CODE = """import sys
sys.argv[0] = "asi-arch"
from asi_arch.cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code
print("\\n".join(["", "LOADED", str(code), *sys.modules]))
"""


def loaded(folder: Path, *arguments: str | Path) -> tuple[int, set[str]]:
    """The exit code, and the modules that the command has loaded by its end."""
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    code, *modules = done.stdout.split("\nLOADED\n")[1].splitlines()
    return int(code), set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "-n", "0"),
        ("run", "--profile", "gpu"),
        ("run", "--mind", "nobody"),
        ("run", "--track", "comet:runs"),
        ("check", "missing.py"),
        ("import", "tables", "missing.tsv"),
        ("status",),
        ("generate", "best", "import ", "-n", "0"),
        ("generate", "best", "import "),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_before_anything_heavy_is_loaded(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, modules = loaded(tmp_path, *arguments)
    assert code == 2
    assert "asi_arch.domain.errors" in modules
    assert not (LAB | {"numpy", "scipy"}) & modules


@pytest.mark.parametrize("command", ["status", "tree", "show"])
def test_reading_loads_neither_lab_nor_composer(undisturbed: Path, tmp_path: Path, command: str) -> None:
    code, modules = loaded(tmp_path, command, "--state", undisturbed)
    assert code == 0
    assert "asi_arch.store.sqlite" in modules
    assert not LAB & modules


def test_searching_the_literature_loads_neither_lab_nor_minds(tmp_path: Path) -> None:
    code, modules = loaded(tmp_path, "cognition", "search", "early tokens are forgotten")
    assert code == 0
    assert not LAB & modules
