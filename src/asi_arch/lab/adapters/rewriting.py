"""What is changed in the text of a layer of flash-linear-attention before it is executed. Needs no torch.

* `torch.compile` does nothing: compiling takes 85 s per process on a CPU, every candidate has a process of its own, and
  inputs of a dozen shapes are checked.
* Half precision named in a call, as in `.to(torch.bfloat16)`, becomes the precision of the input. The model chooses the
  precision (autocast), and the checks need float64.
* A counter (`self.step += 1`) moves on once for each training step, when the gradients are computed, and not with each
  call: a mixer whose output depends on how often it was called can neither be checked nor scored.
* A piece that a loop over chunks takes out, `q[:, :, i]`, comes from one `unbind`: the gradient of indexing has the
  full length for every chunk, which makes the backward pass quadratic (a compiler removes that).
* What is imported for type checkers only is left out.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

RUNTIME_NAME = "_asi_arch_runtime"
_HALF_DTYPES = frozenset({"bfloat16", "float16", "half"})
_HALF_METHODS = frozenset({"bfloat16", "half"})


class Note(NamedTuple):
    """Something that is read in another way than it is written."""

    line: int
    text: str


class Rewritten(NamedTuple):
    """The new tree, what was changed, and the names of all counters."""

    tree: ast.Module
    notes: list[Note]
    counters: frozenset[str]


def rewritten(tree: ast.Module) -> Rewritten:
    """Rewrite `tree` in place; every node keeps its line."""
    rewriter = _Rewriter(_names_of_torch(tree))
    changed = ast.fix_missing_locations(rewriter.visit(tree))
    return Rewritten(changed, sorted(set(rewriter.notes)), frozenset(rewriter.counters))


def notes(source: str) -> list[Note]:
    """Only what would be changed; nothing for a text that is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return rewritten(tree).notes


class _Rewriter(ast.NodeTransformer):
    def __init__(self, torch_names: frozenset[str]) -> None:
        self._torch = torch_names
        self._loops: list[str] = []
        self.notes: list[Note] = []
        self.counters: set[str] = set()

    def visit_If(self, node: ast.If) -> ast.AST:
        if _is_for_type_checkers(node.test):
            node.body = [ast.copy_location(ast.Pass(), node)]
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        variable = _counting_variable(node)
        self._loops.append(variable)
        changed = self.generic_visit(node)
        self._loops.pop()
        return changed

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        changed = self.generic_visit(node)
        place = _place(node.slice, self._loops) if isinstance(node.ctx, ast.Load) else None
        if place is None:
            return changed
        where, index = ast.Constant(value=place.dim), ast.copy_location(ast.Name(id=place.name, ctx=ast.Load()), node)
        call = ast.Call(func=_runtime("piece", node), args=[node.value, where, index], keywords=[])
        return ast.copy_location(call, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr == "compile" and self._is_torch(node.value):
            self._note(node, "torch.compile is left out, the function runs as it is")
            return _runtime("uncompiled", node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self._in_own_precision(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self._in_own_precision(keyword.value)
        match node:
            case ast.Call(func=ast.Attribute(attr=name) as method, args=[], keywords=[]) if name in _HALF_METHODS:
                self._note_precision(node, name)
                method.attr, node.args = "to", [_runtime("dtype", node)]
            case _:
                pass
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        step = _number(node.value)
        if step is None or not isinstance(node.op, ast.Add | ast.Sub):
            return self.generic_visit(node)
        return self._counted(node, node.target, step if isinstance(node.op, ast.Add) else -step)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        match node:
            case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Add(), right=right)):
                step = _number(right)
                if step is not None and ast.unparse(left) == ast.unparse(target):
                    return self._counted(node, target, step)
            case _:
                pass
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Call(func=ast.Attribute(attr="add_", value=target), args=[argument], keywords=[]):
                step = _number(argument)
                if step is not None:
                    return self._counted(node, target, step)
            case _:
                pass
        return self.generic_visit(node)

    def _counted(self, node: ast.stmt, target: ast.expr, step: float) -> ast.AST:
        """The statement that puts the counter off, where `target` is an attribute of `self`."""
        name = _own_attribute(target)
        if name is None:
            return self.generic_visit(node)
        self.counters.add(name)
        self._note(node, f"the counter 'self.{name}' moves on once for each training step and not with each call")
        owner, what, by = ast.Name(id="self", ctx=ast.Load()), ast.Constant(value=name), ast.Constant(value=step)
        call = ast.Call(func=_runtime("advance", node), args=[owner, what, by], keywords=[])
        return ast.copy_location(ast.Expr(value=call), node)

    def _in_own_precision(self, argument: ast.expr) -> ast.expr:
        if isinstance(argument, ast.Attribute) and argument.attr in _HALF_DTYPES and self._is_torch(argument.value):
            self._note_precision(argument, argument.attr)
            return _runtime("dtype", argument)
        return argument

    def _is_torch(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self._torch

    def _note_precision(self, node: ast.expr, name: str) -> None:
        self._note(node, f"the hard-coded {name} is read as the precision of the input")

    def _note(self, node: ast.stmt | ast.expr, text: str) -> None:
        self.notes.append(Note(node.lineno, text))


def _names_of_torch(tree: ast.Module) -> frozenset[str]:
    """Under which torch itself was imported."""
    return frozenset(_imported_as(tree, "torch"))


def _imported_as(tree: ast.Module, module: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name for alias in node.names if alias.name == module)


def _runtime(name: str, at: ast.stmt | ast.expr) -> ast.expr:
    owner = ast.copy_location(ast.Name(id=RUNTIME_NAME, ctx=ast.Load()), at)
    return ast.copy_location(ast.Attribute(value=owner, attr=name, ctx=ast.Load()), at)


class _Place(NamedTuple):
    """`[:, :, name]` with `dim` colons before the name."""

    dim: int
    name: str


def _place(index: ast.expr, loops: list[str]) -> _Place | None:
    """Where all of `index` but a loop's variable are plain colons."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    names = [(dim, part.id) for dim, part in enumerate(parts) if isinstance(part, ast.Name)]
    colons = sum(isinstance(part, ast.Slice) and ast.unparse(part) == ":" for part in parts)
    if len(names) != 1 or colons != len(parts) - 1 or not colons or names[0][1] not in loops:
        return None
    return _Place(*names[0])


def _counting_variable(node: ast.For) -> str:
    """Of `for name in range(...)`; empty for any other loop."""
    match node:
        case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"))):
            return name
        case _:
            return ""


def _is_for_type_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _number(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _own_attribute(target: ast.expr) -> str | None:
    """'NAME' of `self.NAME` and of `self.NAME.data`."""
    match target:
        case ast.Attribute(value=ast.Attribute() as inner, attr="data"):
            return _own_attribute(inner)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case _:
            return None
