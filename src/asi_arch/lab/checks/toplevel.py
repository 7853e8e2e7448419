"""What runs when a module is imported: imports, docstrings, definitions and constants, and nothing else."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

_BUILTINS = {
    *("float", "int", "bool", "str", "tuple", "list", "dict", "set", "frozenset"),
    *("range", "len", "abs", "max", "min", "pow", "round", "sum"),
}
_CALLABLE = frozenset({*_BUILTINS, "TypeVar", "NewType", "namedtuple", "field", "partial"})
_CALLABLE_ROOTS = frozenset({"math", "typing"})
_CALLABLE_CHAINS = frozenset(
    {"dataclasses.field", "functools.partial", "collections.namedtuple", "torch.finfo", "torch.iinfo"}
)
_CHANGEABLE = frozenset({"list", "dict", "set"})
_DECORATORS = frozenset(
    {"staticmethod", "classmethod", "property", "dataclass", "torch", "functools", "dataclasses", "typing"}
)
_DECORATING = "torch, functools, typing and dataclasses"
_DECORATOR_ENDS = frozenset({"setter", "getter"})
_MEND = "move it into the class or a function"


def top_level_complaints(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and sentence for all that would run at import and is neither a definition nor a constant."""
    known = _Known(
        decorators=_DECORATORS | _imported_from(tree, "torch", "functools", "dataclasses", "typing"),
        functions=_CALLABLE | _imported_from(tree, "math"),
    )
    yield from _statements([node for node in tree.body if not _is_script(node)], known)


class _Known(NamedTuple):
    """Names that may be used while a module is imported."""

    decorators: frozenset[str]
    functions: frozenset[str]


def _is_script(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":` without an `else`: a candidate is never run as a script, so nothing of it runs."""
    match node:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
            ),
            orelse=[],
        ):
            return True
        case _:
            return False


def _statements(body: list[ast.stmt], known: _Known) -> Iterator[tuple[int, str]]:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _function(node, known)
            case ast.ClassDef():
                yield from _class(node, known)
            case ast.Assign(value=value) | ast.AnnAssign(value=value):
                yield from _constant(node.targets if isinstance(node, ast.Assign) else [node.target], value, known)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=inner, orelse=[]):
                yield from _statements(inner, known)
            case ast.Try(body=inner, handlers=handlers, orelse=otherwise, finalbody=last):
                fallbacks = [statement for handler in handlers for statement in handler.body]
                yield from _statements([*inner, *fallbacks, *otherwise, *last], known)
            case _:
                yield node.lineno, f"module-level code may only import, define and name constants; {_MEND}"


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, known: _Known) -> Iterator[tuple[int, str]]:
    yield from _decorated(node.decorator_list, known)
    for default in _defaults(node.args):
        if _can_change(default):
            yield default.lineno, "a default that can change remembers earlier calls; use None or a tuple"
        elif not _is_constant(default, known):
            yield default.lineno, f"a default is computed at import; use a constant, not `{ast.unparse(default)[:60]}`"


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(value for value in arguments.kw_defaults if value is not None)]


def _can_change(default: ast.expr) -> bool:
    match default:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.GeneratorExp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _CHANGEABLE
        case _:
            return False


def _class(node: ast.ClassDef, known: _Known) -> Iterator[tuple[int, str]]:
    yield from _decorated(node.decorator_list, known)
    if node.keywords:
        yield node.lineno, f"class {node.name} has keywords in its bases; derive from nn.Module without them"
    if not all(isinstance(base, ast.Name | ast.Attribute | ast.Subscript) for base in node.bases):
        yield node.lineno, f"a base of class {node.name} is computed; name it"
    yield from _statements(node.body, known)


def _decorated(found: list[ast.expr], known: _Known) -> Iterator[tuple[int, str]]:
    for node in found:
        target = node.func if isinstance(node, ast.Call) else node
        names = _chain(target)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)] if isinstance(node, ast.Call) else []
        is_known = bool(names) and (names[0] in known.decorators or names[-1] in _DECORATOR_ENDS)
        if not is_known or not all(_is_constant(argument, known) for argument in arguments):
            name = ast.unparse(node)[:60]
            yield node.lineno, f"the decorator `{name}` runs at import; those of {_DECORATING} may"


def _constant(targets: list[ast.expr], value: ast.expr | None, known: _Known) -> Iterator[tuple[int, str]]:
    for target in targets:
        if not isinstance(target, ast.Name) and not (
            isinstance(target, ast.Tuple) and all(isinstance(part, ast.Name) for part in target.elts)
        ):
            yield target.lineno, f"`{ast.unparse(target)[:60]}` belongs to something else; assign to plain names only"
    if value is not None and not _is_constant(value, known):
        yield value.lineno, f"`{ast.unparse(value)[:60]}` runs at import; only literals and arithmetic may, {_MEND}"


def _is_constant(node: ast.AST | None, known: _Known) -> bool:
    """Literals, names, definitions of functions, arithmetic and comparisons of them, calls without effects."""
    match node:
        case None | ast.Constant() | ast.Name():
            return True
        case ast.Lambda(args=arguments):
            return all(_is_constant(default, known) and not _can_change(default) for default in _defaults(arguments))
        case ast.Call(func=function, args=arguments, keywords=keywords):
            values = (*arguments, *(word.value for word in keywords))
            calls_back = any(word.arg == "key" for word in keywords)
            return _is_pure(function, known) and not calls_back and all(_is_constant(value, known) for value in values)
        case _ if isinstance(node, _COMPOUND):
            return all(_is_constant(part, known) for part in ast.iter_child_nodes(node))
        case _:
            return isinstance(node, ast.expr_context | ast.operator | ast.unaryop | ast.cmpop | ast.boolop)


_COMPOUND = (
    *(ast.Attribute, ast.Subscript, ast.Slice, ast.Starred),
    *(ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.Tuple, ast.List, ast.Set, ast.Dict),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
)
"""What is a constant where all of its parts are."""


def _is_pure(function: ast.expr, known: _Known) -> bool:
    names = _chain(function)
    if len(names) == 1:
        return names[0] in known.functions
    return ".".join(names) in _CALLABLE_CHAINS or (len(names) == 2 and names[0] in _CALLABLE_ROOTS)


def _chain(node: ast.expr) -> list[str]:
    """`a.b.c` as its names; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [*names, node.id][::-1] if isinstance(node, ast.Name) else []


def _imported_from(tree: ast.Module, *packages: str) -> frozenset[str]:
    """Names that come from these packages or from modules inside them."""
    return frozenset(
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in packages
        for alias in node.names
    )
