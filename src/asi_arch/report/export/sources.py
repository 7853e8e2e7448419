"""Our own modules as text: what each defines, what it imports, and where a name that is imported comes from."""

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from asi_arch.domain.errors import UserError

ROOT = "asi_arch"
TRAVELLING = ("asi_arch.mixers", "asi_arch.lab.adapters", "asi_arch.lab.loading", "asi_arch.lab.imports")
"""Packages whose modules may be part of an export; the lab's read programs that were written for other interfaces."""
_STAY_AT_HOME = ("asi_arch.mixers.baselines", "asi_arch.mixers.model")
"""Read files of this package, or its settings."""


class Symbol(NamedTuple):
    """A name where it is defined."""

    module: str
    name: str


class OwnModule(NamedTuple):
    """A module of ours that is bound to a name."""

    module: str


class External(NamedTuple):
    """An import from elsewhere: `from module import name`, or `import module` where `name` is empty."""

    module: str
    name: str
    bound: str
    """As what it is known; empty where a dotted module binds its first part."""


class Import(NamedTuple):
    """`from module import name`, where the module is ours; see `resolved`."""

    module: str
    name: str


Binding = Import | OwnModule | External


class Statement(NamedTuple):
    """A statement at the top of a module that defines names, with the comment above it and the text below it."""

    node: ast.stmt
    names: tuple[str, ...]
    first: int
    last: int
    """Lines, from 1, both included."""


class Module(NamedTuple):
    """One file."""

    name: str
    source: str
    title: str
    """The first line of its docstring."""
    statements: tuple[Statement, ...]
    imports: Mapping[str, Binding]

    def defining(self, name: str) -> Statement | None:
        """The statement that defines a name."""
        return next((statement for statement in self.statements if name in statement.names), None)


def is_own(module: str) -> bool:
    """Whether a dotted name is of this package."""
    return module == ROOT or module.startswith(f"{ROOT}.")


@lru_cache
def read(module: str) -> Module:
    """A module that may travel. Raises `UserError` for any other."""
    text = _text(module)
    may_travel = any(module == top or module.startswith(f"{top}.") for top in TRAVELLING)
    if text is None or not (may_travel or module == ROOT) or module.startswith(_STAY_AT_HOME):
        raise UserError(
            f"the design imports `{module}`, which can't be taken out of asi-arch; an export may use"
            " asi_arch.mixers.nn, asi_arch.mixers.ops and what these are made of"
        )
    tree = ast.parse(text)
    title = (ast.get_docstring(tree) or "").partition("\n")[0]
    found = {name: binding for node in tree.body for name, binding in bindings(node)}
    return Module(module, text, title, tuple(_statements(tree, text.splitlines())), found)


def resolved(module: str, name: str) -> Symbol | OwnModule:
    """Where `from module import name` leads in the end. Raises `UserError` where there is no such name."""
    found = read(module)
    if found.defining(name) is not None:
        return Symbol(module, name)
    binding = found.imports.get(name)
    if isinstance(binding, Import):
        return resolved(*binding)
    if isinstance(binding, OwnModule):
        return binding
    if binding is None and _text(f"{module}.{name}") is not None:
        return OwnModule(f"{module}.{name}")
    raise UserError(f"the design imports `{name}` from {module}, where there is no such name")


def bindings(node: ast.stmt) -> Iterator[tuple[str, Binding]]:
    """What an import statement binds, by name; nothing for any other statement."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if is_own(alias.name):
                yield bound, OwnModule(alias.name if alias.asname else ROOT)
            else:
                yield bound, External(alias.name, "", alias.asname or "")
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            bound = alias.asname or alias.name
            if is_own(node.module):
                yield bound, Import(node.module, alias.name)
            else:
                yield bound, External(node.module, alias.name, alias.asname or "")


def _text(module: str) -> str | None:
    path = module.split(".")[1:]
    for end in (["__init__.py"], []):
        names = [*path, *end] if end else [*path[:-1], f"{path[-1]}.py"] if path else []
        file = files(ROOT).joinpath(*names)
        if names and file.is_file():
            return file.read_text(encoding="utf-8")
    return None


def _statements(tree: ast.Module, lines: list[str]) -> Iterator[Statement]:
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        names = tuple(_defined(node))
        if not names:
            continue
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first, last = min([node.lineno, *(item.lineno for item in decorators)]), node.end_lineno or node.lineno
        while first > 1 and lines[first - 2].startswith("#"):
            first -= 1
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            last = following.end_lineno or last
        yield Statement(node, names, first, last)


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id != "__all__":
                    yield part.id
