"""From a candidate's source to its class. Runs in children only.

The rules are there to tell an author quickly what is wrong; they are not a security boundary, the process is.
"""

import ast
import linecache
import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from torch import nn

from asi_arch.lab.imports import ALLOWED_IMPORTS, is_allowed, refusal

MODULE_NAME = "candidate"
FILE_NAME = "<candidate>"
"""Under which the candidate's lines appear in tracebacks."""


class LoadFailure(Exception):
    """The source can't become a mixer; `line` is where, None where no line is to blame."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Tampered(Exception):
    """The candidate changed what it shares with its trainer; the message says what and when."""


def load_mixer(source: str) -> type[nn.Module]:
    """Execute the module and return its `Mixer`.

    Raises `LoadFailure` for a syntax error, a forbidden import, no `Mixer` or several, or one that is no `nn.Module`.
    What the module itself raises while it is executed passes through.
    """
    tree = parsed(source)
    check_imports(tree, ALLOWED_IMPORTS)
    definitions = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Mixer"]
    if not definitions:
        raise LoadFailure("there is no class `Mixer`; define one: class Mixer(nn.Module)")
    if len(definitions) > 1:
        lines = ", ".join(str(node.lineno) for node in definitions)
        raise LoadFailure(
            f"there are {len(definitions)} classes `Mixer` (lines {lines}); keep one", definitions[1].lineno
        )
    module = executed(tree, source)
    mixer = getattr(module, "Mixer", None)
    if not isinstance(mixer, type) or not issubclass(mixer, nn.Module):
        raise LoadFailure("`Mixer` must be a class derived from torch.nn.Module", definitions[0].lineno)
    return mixer


def parsed(source: str) -> ast.Module:
    """The syntax tree. Raises `LoadFailure` with the line for a text that is not Python."""
    try:
        return ast.parse(source, FILE_NAME)
    except SyntaxError as error:
        raise LoadFailure(f"not valid Python: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LoadFailure(f"not valid Python: {error}") from None


def check_imports(tree: ast.Module, allowed: frozenset[str]) -> None:
    """Raises `LoadFailure` for an import that is neither one of `allowed` nor inside one of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if not node.level else ["." * node.level]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if not is_allowed(name, allowed):
                raise LoadFailure(refusal(name, allowed), node.lineno)


def executed(tree: ast.Module, source: str, given: Mapping[str, object] = MappingProxyType({})) -> ModuleType:
    """Run the module under a name of its own, with its lines known to tracebacks and `inspect`.

    `given` are names that it finds defined.
    """
    linecache.cache[FILE_NAME] = (len(source), None, source.splitlines(keepends=True), FILE_NAME)
    module = ModuleType(MODULE_NAME)
    module.__file__ = FILE_NAME
    vars(module).update(given)
    sys.modules[MODULE_NAME] = module
    exec(compile(tree, FILE_NAME, "exec"), module.__dict__)
    return module
