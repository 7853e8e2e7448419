"""What is changed in the text of a layer of flash-linear-attention before it is executed. Needs no torch.

* `torch.compile` and `torch.jit.script` do nothing: compiling takes 85 s per process on a CPU, every candidate has a
  process of its own, and inputs of a dozen shapes are checked. Settings of the compiler and of torch's backends are
  left out: they act on more than the layer.
* Half precision named in a call, as in `.to(torch.bfloat16)`, becomes the precision of the input. The model chooses the
  precision (autocast), and the checks need float64. So do float32 and `.float()` where the input is float64. An
  autocast of the program's own is left out unless it says `enabled=False`.
* A schedule (`self.step += 1`, see `updates`) moves on once for each training step, when the gradients are computed,
  and not with each call: a mixer whose output depends on how often it was called can neither be checked nor scored.
* A piece that a loop over chunks takes out, `q[:, :, i]`, comes from one `unbind`: the gradient of indexing has the
  full length for every chunk, which makes the backward pass quadratic (a compiler removes that).
* What is imported for type checkers only is left out, and so is what a `try` is prepared to miss.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from asi_arch.lab.adapters.updates import Update, kept_from_input, makes, tainted_attributes, update_of
from asi_arch.lab.imports import is_allowed

RUNTIME_NAME = "_asi_arch_runtime"
_HALF_DTYPES = frozenset({"bfloat16", "float16", "half"})
_SINGLE_DTYPES = frozenset({"float32", "float"})
_AUTOCASTS = frozenset({"autocast", "amp.autocast", "cuda.amp.autocast", "cpu.amp.autocast"})
_COMPILERS = frozenset({"compile", "jit.script", "compiler.disable", "_dynamo.disable"})
_SETTINGS = ("backends.", "_dynamo.", "_inductor.")
_SETTERS = frozenset({"set_float32_matmul_precision"})
_NO_AUTOCAST = "the autocast is left out, the model chooses the precision"
_HEAVY = ("torch._dynamo", "torch._inductor")


class Note(NamedTuple):
    """Something that is read in another way than it is written."""

    line: int
    text: str


class Rewritten(NamedTuple):
    """The new tree, what was changed, the names of all counters, and whether calls must be watched (`Placing`)."""

    tree: ast.Module
    notes: list[Note]
    counters: frozenset[str]
    is_watched: bool


def rewritten(tree: ast.Module, allowed: frozenset[str]) -> Rewritten:
    """Rewrite `tree` in place; every node keeps its line. `allowed` are the modules that may be imported."""
    rewriter = _Rewriter(tree, allowed)
    changed = ast.fix_missing_locations(rewriter.visit(tree))
    return Rewritten(changed, sorted(set(rewriter.notes)), frozenset(rewriter.counters), rewriter.is_watched)


def notes(source: str, allowed: frozenset[str]) -> list[Note]:
    """Only what would be changed; nothing for a text that is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return rewritten(tree, allowed).notes


class _Rewriter(ast.NodeTransformer):
    def __init__(self, tree: ast.Module, allowed: frozenset[str]) -> None:
        self._torch = frozenset(_imported_as(tree, "torch"))
        self._used = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        self._tainted = tainted_attributes(tree)
        self._allowed = allowed
        self._loops: list[str] = []
        self._is_prepared = False
        self._method = ""
        self.notes: list[Note] = []
        self.counters: set[str] = set()
        self.is_watched = False

    def visit_If(self, node: ast.If) -> ast.AST:
        if _is_for_type_checkers(node.test):
            node.body = [ast.copy_location(ast.Pass(), node)]
        return self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> ast.AST:
        before, self._is_prepared = self._is_prepared, self._is_prepared or any(map(_catches_imports, node.handlers))
        node.body = self._body(node.body)
        self._is_prepared = before
        for field in ("handlers", "orelse", "finalbody"):
            setattr(node, field, self._body(getattr(node, field)))
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        missing = [alias for alias in node.names if not is_allowed(alias.name, self._allowed)]
        if missing and self._is_prepared:
            return self._missed(node, missing[0].name)
        if missing and all(self._is_idle(alias) for alias in node.names):
            return self._idle(node, missing[0].name)
        for alias in node.names:
            if alias.name.startswith(_HEAVY) and not alias.asname:
                alias.name = "torch"
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        name = node.module or ""
        given = [alias for alias in node.names if f"{name}.{alias.name}".removeprefix("torch.") in _AUTOCASTS]
        if given and name.split(".")[0] == "torch":
            self._note(node, _NO_AUTOCAST)
            targets = [ast.Name(id=alias.asname or alias.name, ctx=ast.Store()) for alias in given]
            return [node, *(ast.Assign(targets=[target], value=_runtime("autocast", node)) for target in targets)]
        if self._is_prepared and not node.level and not is_allowed(name, self._allowed):
            return self._missed(node, name)
        if not node.level and not is_allowed(name, self._allowed) and all(map(self._is_idle, node.names)):
            return self._idle(node, name)
        return node

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

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`x.dtype == torch.bfloat16` and `x.device.type == "cuda"` ask, and choose nothing."""
        node.left, *node.comparators = [self._compared(side) for side in (node.left, *node.comparators)]
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "device_type" and isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = self._in_torch(node)
        if name in _COMPILERS:
            self._note(node, f"torch.{name} is left out, the function runs as it is")
            return _runtime("uncompiled", node)
        if name in _AUTOCASTS:
            self._note(node, _NO_AUTOCAST)
            return _runtime("autocast", node)
        if name in _HALF_DTYPES:
            self._watch(node, name)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and (node.value == "cuda" or node.value.startswith("cuda:")):
            self.is_watched = True
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self._in_own_precision(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self._in_own_precision(keyword.value)
        match node:
            case ast.Call(func=ast.Attribute(attr="bfloat16" | "half" as name) as method, args=[], keywords=[]):
                self._note_precision(node, name)
                method.attr, node.args = "to", [_runtime("dtype", node)]
            case ast.Call(func=ast.Attribute(attr="float") as method, args=[], keywords=[]):
                method.attr, node.args = "to", [_runtime("single", node)]
            case ast.Call(func=ast.Attribute(attr="cuda")):
                self.is_watched = True
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
                if self._is_torch(owner) and name in _HALF_DTYPES:
                    self._watch(node, name)
            case _:
                pass
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        return self._counted(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if any(self._is_setting(target) for target in node.targets):
            return self._unset(node)
        return self._counted(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Call) and self._is_setting(node.value.func):
            return self._unset(node)
        return self._counted(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        before, self._method = self._method, node.name
        changed = self.generic_visit(node)
        self._method = before
        return changed

    def _counted(self, node: ast.stmt) -> ast.AST:
        """The statement that puts an update off."""
        update = None if makes(self._method) else update_of(node, self._tainted)
        if update is None:
            name = kept_from_input(node) if self._method == "forward" else None
            if name:
                self._note(
                    node, f"'{name}' keeps what was computed from an input, which is not for a later call to see"
                )
            return self.generic_visit(node)
        self.counters.add(update.name)
        what = f"{ast.unparse(update.owner)}.{update.name}"
        self._note(node, f"the counter '{what}' moves on once for each training step and not with each call")
        return ast.copy_location(_deferred(node, update), node)

    def _missed(self, node: ast.Import | ast.ImportFrom, name: str) -> ast.stmt:
        self._note(node, f"`{name}` is not there, what the program does without it is done")
        error = ast.Call(func=_runtime("missing", node), args=[ast.Constant(value=name)], keywords=[])
        return ast.copy_location(ast.Raise(exc=error), node)

    def _idle(self, node: ast.Import | ast.ImportFrom, name: str) -> ast.stmt:
        self._note(node, f"`{name}` is left out, nothing uses it")
        return ast.copy_location(ast.Pass(), node)

    def _is_idle(self, alias: ast.alias) -> bool:
        return alias.name != "*" and (alias.asname or alias.name).split(".")[0] not in self._used

    def _unset(self, node: ast.stmt) -> ast.stmt:
        self._note(node, "a setting of torch that acts on more than the layer is left out")
        return ast.copy_location(ast.Pass(), node)

    def _is_setting(self, node: ast.expr) -> bool:
        name = self._in_torch(node)
        return name in _SETTERS or name.startswith(_SETTINGS)

    def _in_own_precision(self, argument: ast.expr) -> ast.expr:
        name = self._in_torch(argument)
        if name in _HALF_DTYPES:
            self._note_precision(argument, name)
            return _runtime("dtype", argument)
        return _runtime("single", argument) if name in _SINGLE_DTYPES else argument

    def _in_torch(self, node: ast.AST) -> str:
        """'backends.cudnn' of `torch.backends.cudnn`; empty for anything else."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        return ".".join(reversed(names)) if self._is_torch(node) else ""

    def _is_torch(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id in self._torch

    def _body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        changed = [self.visit(statement) for statement in statements]
        return [part for parts in changed for part in (parts if isinstance(parts, list) else [parts])]

    def _compared(self, side: ast.expr) -> ast.expr:
        parts = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
        is_known = all(isinstance(part, ast.Constant) or self._in_torch(part) for part in parts)
        return side if is_known else self.visit(side)

    def _watch(self, node: ast.expr, name: str) -> None:
        self.is_watched = True
        self._note_precision(node, name)

    def _note_precision(self, node: ast.expr, name: str) -> None:
        self._note(node, f"the hard-coded {name} is read as the precision of the input")

    def _note(self, node: ast.stmt | ast.expr, text: str) -> None:
        self.notes.append(Note(node.lineno, text))


def _deferred(node: ast.stmt, update: Update) -> ast.stmt:
    """In a forward pass `runtime.later(owner, name, lambda: value, is_in_place)`, else the statement as it is."""
    none = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    value = ast.Lambda(args=none, body=update.value)
    arguments = [update.owner, ast.Constant(value=update.name), value, ast.Constant(value=update.is_in_place)]
    later = ast.Expr(value=ast.Call(func=_runtime("later", node), args=arguments, keywords=[]))
    return ast.If(test=_runtime("is_passing", node), body=[later], orelse=[node])


def _imported_as(tree: ast.Module, module: str) -> Iterator[str]:
    """The names under which a module itself was imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == module:
                    yield alias.asname or alias.name
                elif alias.name.startswith(f"{module}.") and not alias.asname:
                    yield module


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


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    caught = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else caught
    return bool(names & caught)
