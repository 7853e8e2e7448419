"""What runs when a module is imported: imports, docstrings, definitions and constants, and nothing else."""

import ast
from collections.abc import Iterator

_CALLABLE = frozenset(
    {"TypeVar", "NewType", "float", "int", "bool", "tuple", "frozenset", "range", "len", "namedtuple"}
)
_CALLABLE_ROOTS = frozenset({"math", "typing"})
_DECORATORS = frozenset({"staticmethod", "classmethod", "property", "dataclass", "torch", "functools", "dataclasses"})
_DECORATOR_ENDS = frozenset({"setter", "getter"})
_MEND = "move it into the class or a function"


def top_level_complaints(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and sentence for all that would run at import and is neither a definition nor a constant."""
    yield from _statements(tree.body, _imported_from_functools_or_torch(tree))


def _statements(body: list[ast.stmt], decorators: frozenset[str]) -> Iterator[tuple[int, str]]:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _function(node, decorators)
            case ast.ClassDef():
                yield from _class(node, decorators)
            case ast.Assign(value=value) | ast.AnnAssign(value=value):
                yield from _constant(node.targets if isinstance(node, ast.Assign) else [node.target], value)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=inner, orelse=[]):
                yield from _statements(inner, decorators)
            case _:
                yield node.lineno, f"module-level code may only import, define and name constants; {_MEND}"


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: frozenset[str]) -> Iterator[tuple[int, str]]:
    yield from _decorated(node.decorator_list, decorators)
    for default in (*node.args.defaults, *(value for value in node.args.kw_defaults if value is not None)):
        if isinstance(default, ast.List | ast.Dict | ast.Set):
            yield default.lineno, "a default that can change remembers earlier calls; use None or a tuple"
        elif not _is_constant(default):
            yield default.lineno, f"a default is computed at import; use a constant, not `{ast.unparse(default)[:60]}`"


def _class(node: ast.ClassDef, decorators: frozenset[str]) -> Iterator[tuple[int, str]]:
    yield from _decorated(node.decorator_list, decorators)
    if node.keywords:
        yield node.lineno, f"class {node.name} has keywords in its bases; derive from nn.Module without them"
    if not all(isinstance(base, ast.Name | ast.Attribute | ast.Subscript) for base in node.bases):
        yield node.lineno, f"a base of class {node.name} is computed; name it"
    yield from _statements(node.body, decorators)


def _decorated(found: list[ast.expr], allowed: frozenset[str]) -> Iterator[tuple[int, str]]:
    for node in found:
        target = node.func if isinstance(node, ast.Call) else node
        names = _chain(target)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)] if isinstance(node, ast.Call) else []
        is_known = bool(names) and (names[0] in allowed or names[-1] in _DECORATOR_ENDS)
        if not is_known or not all(_is_constant(argument) for argument in arguments):
            name = ast.unparse(node)[:60]
            yield node.lineno, f"the decorator `{name}` runs at import; those of torch, functools and dataclasses may"


def _constant(targets: list[ast.expr], value: ast.expr | None) -> Iterator[tuple[int, str]]:
    for target in targets:
        if not isinstance(target, ast.Name) and not (
            isinstance(target, ast.Tuple) and all(isinstance(part, ast.Name) for part in target.elts)
        ):
            yield target.lineno, f"`{ast.unparse(target)[:60]}` belongs to something else; assign to plain names only"
    if value is not None and not _is_constant(value):
        yield value.lineno, f"`{ast.unparse(value)[:60]}` runs at import; only literals and arithmetic may, {_MEND}"


def _is_constant(node: ast.expr | None) -> bool:
    """Literals, names, arithmetic of them, and calls of a few functions without effects."""
    match node:
        case None | ast.Constant() | ast.Name() | ast.Slice():
            return True
        case ast.Attribute(value=value):
            return _is_constant(value)
        case ast.UnaryOp(operand=value) | ast.Starred(value=value):
            return _is_constant(value)
        case ast.BinOp(left=left, right=right):
            return _is_constant(left) and _is_constant(right)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return all(_is_constant(part) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return all(_is_constant(part) for part in (*keys, *values))
        case ast.Subscript(value=value, slice=index):
            return _is_constant(value) and _is_constant(index)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            return _is_pure(function) and all(map(_is_constant, (*arguments, *(word.value for word in keywords))))
        case _:
            return False


def _is_pure(function: ast.expr) -> bool:
    names = _chain(function)
    if names == ["field"] or names == ["dataclasses", "field"]:
        return True
    return (len(names) == 1 and names[0] in _CALLABLE) or (len(names) == 2 and names[0] in _CALLABLE_ROOTS)


def _chain(node: ast.expr) -> list[str]:
    """`a.b.c` as its names; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [*names, node.id][::-1] if isinstance(node, ast.Name) else []


def _imported_from_functools_or_torch(tree: ast.Module) -> frozenset[str]:
    """Names under which decorators of torch and functools may be used."""
    return _DECORATORS | {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("torch", "functools")
        for alias in node.names
    }
