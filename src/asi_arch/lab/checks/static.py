"""What can be seen without running anything: fast feedback with a line, and no security.

A text has a thousand ways to say the same thing, so nothing here keeps a determined program from anything; the process
and the executed checks do. It spares authors a round, and keeps honest mistakes out of the way of everything after it.
Pure `ast`, free of torch.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from asi_arch.domain.outcome import Finding, Severity
from asi_arch.lab.checks import vocabulary as words
from asi_arch.lab.checks.toplevel import top_level_complaints
from asi_arch.lab.imports import ALLOWED_IMPORTS, is_allowed, refusal

_NAME = "static"
_MAX_FINDINGS = 5
_MAX_NUMBERS = 256
"""Literal numbers in one container; more are a table that no count of parameters sees."""
_MAX_TEXT = 2000
"""Characters of a literal that is no docstring."""


class Complaint(NamedTuple):
    """One thing a text may not contain."""

    line: int
    message: str


def examine(source: str, allowed: frozenset[str] = ALLOWED_IMPORTS) -> list[Finding]:
    """The first few complaints, as errors with their lines. A text that is no Python is left to the loader."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    try:
        complaints = sorted({*_Reader(tree, allowed).complaints(), *map(Complaint._make, top_level_complaints(tree))})
    except RecursionError:
        complaints = [Complaint(1, "an expression is nested too deeply to be read; name its parts")]
    return [_finding(complaint) for complaint in complaints[:_MAX_FINDINGS]]


def _finding(complaint: Complaint) -> Finding:
    message = f"Line {complaint.line}: {complaint.message}."
    return Finding(check=_NAME, severity=Severity.ERROR, message=message, position=complaint.line)


class _Reader:
    """Walks one module."""

    def __init__(self, tree: ast.Module, allowed: frozenset[str]) -> None:
        self._tree = tree
        self._allowed = allowed
        self._imported = _imported_names(tree)
        self._docstrings = _docstrings(tree)
        self._lookups = _literal_lookups(tree)
        self._named_classes = _named_classes(tree)

    def complaints(self) -> Iterator[Complaint]:
        for node in ast.walk(self._tree):
            for message in self._about(node):
                yield Complaint(getattr(node, "lineno", 1), message)

    def _about(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from self._imports(node)
            case ast.Name() if id(node) not in self._lookups:
                yield from _name(node)
            case ast.Attribute() if id(node) not in self._named_classes:
                yield from self._attribute(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _definition(node)
            case ast.Call(func=ast.Name() as function) if id(function) in self._lookups:
                yield from self._attribute(self._lookups[id(function)])
            case ast.Call():
                yield from _call(node)
            case ast.Global():
                yield "`global` lets calls influence each other; keep what is learned in parameters"
            case ast.Constant() if id(node) not in self._docstrings:
                yield from _literal(node)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                yield from _container(node)
            case _:
                pass

    def _imports(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        modules = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "" if not node.level else "." * node.level]
        )
        yield from (refusal(name, self._allowed) for name in modules if not is_allowed(name, self._allowed))
        if isinstance(node, ast.Import):
            parts = [part for name in modules for part in name.split(".")[1:]]
        else:
            parts = [*modules[0].split(".")[1:], *(alias.name for alias in node.names)]
        yield from (complaint for part in parts for complaint in _reached(part))
        if "*" in parts:
            yield "`import *` hides where names come from; import the names that are used"

    def _attribute(self, node: ast.Attribute) -> Iterator[str]:
        name, root, owner = node.attr, _root(node), _plain_root(node)
        if _is_dunder(name) and name not in words.ATTRIBUTE_DUNDERS:
            yield f"the attribute `{name}` belongs to Python's insides; use the public interface"
        elif name in words.FRAME_ATTRIBUTES or name in words.REGISTRIES:
            yield f"the attribute `{name}` belongs to Python's or torch's insides; use the public interface"
        elif name.startswith("_") and root not in ("self", "cls", "super") and name not in words.PUBLIC_UNDERSCORES:
            yield f"`{name}` is private to its owner; use the public interface"
        elif owner in self._imported:
            yield from _reached(name)
        if isinstance(node.ctx, ast.Store | ast.Del) and owner in self._imported:
            yield f"`{ast.unparse(node)}` is shared with the program around; leave imported modules as they are"


def _reached(name: str) -> Iterator[str]:
    """About a name below an imported module."""
    if name in words.FOREIGN_MODULES:
        yield f"the module `{name}` must not be reached through another one; a mixer needs tensors only"
    elif name in words.GLOBAL_EFFECTS:
        yield f"`{name}` acts on more than this mixer; {words.GLOBAL_EFFECTS[name]}"


def _name(node: ast.Name) -> Iterator[str]:
    if node.id in words.FORBIDDEN_BUILTINS:
        yield f"`{node.id}` may not be used; {words.FORBIDDEN_BUILTINS[node.id]}"
    elif _is_dunder(node.id) and node.id not in words.MODULE_DUNDERS:
        yield f"the name `{node.id}` belongs to Python's insides; do without it"


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    if _is_dunder(node.name) and node.name not in words.DEFINABLE_DUNDERS:
        yield f"`{node.name}` may not be defined; write an ordinary method and call it by its name"
    elif node.name in words.MODULE_METHODS:
        yield f"`{node.name}` is how the model handles its parts; give the method another name"


def _call(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id == "type" and len(node.args) + len(node.keywords) != 1:
        yield "classes may not be made by a call of `type`; write a class statement"


def _literal(node: ast.Constant) -> Iterator[str]:
    if isinstance(node.value, str | bytes) and len(node.value) > _MAX_TEXT:
        yield f"a literal of {len(node.value)} characters (at most {_MAX_TEXT}) is data; learn it in parameters"
    elif isinstance(node.value, int) and node.value.bit_length() > 8 * _MAX_NUMBERS:
        yield f"a number of {node.value.bit_length()} bits is data; learn it in parameters"


def _container(node: ast.expr) -> Iterator[str]:
    numbers = sum(isinstance(part, ast.Constant) for part in ast.walk(node))
    if numbers > _MAX_NUMBERS:
        yield f"a table of {numbers} constants (at most {_MAX_NUMBERS}) is seen by no count; learn it in parameters"


def _is_dunder(name: str) -> bool:
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes, subscripts and calls starts from; empty where it is an expression."""
    while True:
        match node:
            case ast.Attribute() | ast.Subscript():
                node = node.value
            case ast.Call():
                node = node.func
            case ast.Name():
                return node.id
            case _:
                return ""


def _plain_root(node: ast.expr) -> str:
    """The name that a chain of attributes alone starts from: `torch` for `torch.nn.init`; else empty."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _literal_lookups(tree: ast.Module) -> Mapping[int, ast.Attribute]:
    """`getattr(value, "name")` is no more than `value.name`: that attribute, by the identity of the name `getattr`."""
    found: dict[int, ast.Attribute] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="getattr") as function, args=[value, ast.Constant(value=str(name)), *_]):
                attribute = ast.Attribute(value=value, attr=name, ctx=ast.Load())
                found[id(function)] = ast.copy_location(attribute, node)
            case _:
                pass
    return found


def _named_classes(tree: ast.Module) -> Mapping[int, ast.Attribute]:
    """`x.__class__.__name__` is no more than a text: its inner attributes, by their identity."""
    found: dict[int, ast.Attribute] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Attribute(attr="__class__") as inner, attr="__name__", ctx=ast.Load()):
                found[id(inner)] = inner
            case _:
                pass
    return found


def _imported_names(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


def _docstrings(tree: ast.Module) -> Mapping[int, ast.Constant]:
    """By the identity of their nodes."""
    found: dict[int, ast.Constant] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                found[id(text)] = text
            case _:
                pass
    return found
