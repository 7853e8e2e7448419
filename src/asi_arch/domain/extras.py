"""What is installed only on wish: the package's extras, and the command that gets one."""

import sys
from importlib.util import find_spec
from pathlib import Path

_CLONE = Path(__file__).parents[3]


def is_installed(module: str) -> bool:
    """Whether it could be imported, without importing it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def how_to_install(extra: str) -> str:
    """The command for this installation: a clone is installed from its own folder, under its own constraints."""
    if (_CLONE / "constraints.txt").is_file():
        return f"cd {_CLONE} && {sys.executable} -m pip install -c constraints.txt -e '.[{extra}]'"
    return f"{sys.executable} -m pip install 'asi-arch[{extra}]'"
