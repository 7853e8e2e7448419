"""Statements by which a layer moves its own schedule on: `self.step += 1`, `self.floor *= 0.99`. Needs no torch.

Only those count whose new value follows from what the layer keeps, and from nothing that was computed from an input.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

_FUNCTIONS = frozenset({"abs", "bool", "float", "int", "max", "min", "round"})
_READERS = frozenset({"item", "float", "clone"})
_PLAIN = (
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Tuple,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
    ast.keyword,
)


class Update(NamedTuple):
    """`owner.name` gets the value of `value`; where `is_in_place`, `value` is a call that writes to it."""

    owner: ast.expr
    name: str
    value: ast.expr
    is_in_place: bool


class Own(NamedTuple):
    """An attribute of the layer or of one of its parts, `self.a.NAME`, and whether only a part of it is meant."""

    owner: ast.expr
    name: str
    is_part: bool = False


def update_of(node: ast.stmt, tainted: frozenset[str]) -> Update | None:
    """What a statement updates; None for all others. `tainted` are attributes that may follow an input."""
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            found = _assigned(target, ast.BinOp(left=_read(target), op=op, right=value))
        case ast.Assign(targets=[target], value=value) if _mentions(value, target):
            found = _assigned(target, value)
        case ast.Expr(value=ast.Call() as call):
            own = _written(call)
            found = None if own is None else Update(own.owner, own.name, call, True)
        case _:
            return None
    if found is None or not _is_plain(found.value) or (_attributes(found.value) - {found.name}) & tainted:
        return None
    return found


def kept_from_input(node: ast.stmt) -> str | None:
    """'self.NAME' where a statement mixes what was computed into what the layer keeps; None for all others."""
    match node:
        case ast.AugAssign(target=target):
            own = _own(target)
        case ast.Assign(targets=[target], value=value) if _mentions(value, target):
            own = _own(target)
        case ast.Expr(value=ast.Call() as call):
            own = _written(call)
        case _:
            return None
    return None if own is None else f"{ast.unparse(own.owner)}.{own.name}"


def makes(function: str) -> bool:
    """Whether a method of this name is part of the constructor."""
    return function in ("__init__", "__post_init__", "reset_parameters") or function.startswith(("_init", "init_"))


def tainted_attributes(tree: ast.Module) -> frozenset[str]:
    """Attributes of `self` that a method writes in another way than by an update or a constant.

    What the constructor writes follows no input.
    """
    found: set[str] = set()
    for method in _methods(tree):
        for node in ast.walk(method):
            if isinstance(node, ast.stmt) and update_of(node, frozenset()) is None:
                found.update(own.name for own in _targets(node))
    return frozenset(found)


def _methods(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for kind in ast.walk(tree):
        if isinstance(kind, ast.ClassDef):
            yield from (node for node in kind.body if isinstance(node, ast.FunctionDef) and not makes(node.name))


def _targets(node: ast.stmt) -> Iterator[Own]:
    """The attributes that one statement writes."""
    match node:
        case ast.Assign(value=ast.Constant()) | ast.AnnAssign(value=ast.Constant() | None):
            owns = []
        case ast.Assign(targets=targets):
            owns = [_own(part) for target in targets for part in ast.walk(target) if isinstance(part, ast.expr)]
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            owns = [_own(target)]
        case ast.Expr(value=ast.Call() as call):
            owns = [_written(call)]
        case _:
            owns = []
    yield from (own for own in owns if own is not None)


def _assigned(target: ast.expr, value: ast.expr) -> Update | None:
    own = _own(target)
    if own is None:
        return None
    if not own.is_part:
        return Update(own.owner, own.name, value, False)
    assert isinstance(target, ast.Subscript)
    setter = ast.Attribute(value=_read(target.value), attr="__setitem__", ctx=ast.Load())
    return Update(own.owner, own.name, ast.Call(func=setter, args=[target.slice, value], keywords=[]), True)


def _written(call: ast.Call) -> Own | None:
    """The attribute that `self.a.mul_(0.9).clamp_(0.1)` writes to."""
    node: ast.expr = call
    while isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Attribute) or not _is_in_place(node.func.attr):
            return None
        node = node.func.value
    return _own(node)


def _is_in_place(method: str) -> bool:
    return method.endswith("_") and not method.startswith("_")


def _own(node: ast.expr) -> Own | None:
    """`self.a.NAME`, `self.NAME.data` and `self.NAME[0]`."""
    match node:
        case ast.Subscript(value=inner):
            own = _own(inner)
            return None if own is None else own._replace(is_part=True)
        case ast.Attribute(value=ast.Attribute() as inner, attr="data"):
            return _own(inner)
        case ast.Attribute(value=owner, attr=name) if _is_self(owner):
            return Own(owner, name)
        case _:
            return None


def _is_self(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "self"


def _mentions(value: ast.expr, target: ast.expr) -> bool:
    text = ast.unparse(target)
    return any(ast.unparse(node) == text for node in ast.walk(value) if isinstance(node, type(target)))


def _is_plain(node: ast.AST) -> bool:
    """Constants, what the layer keeps, arithmetic, and functions of numbers."""
    match node:
        case ast.Attribute():
            return _is_self(node)
        case ast.Subscript(value=value, slice=index):
            return _is_plain(value) and _is_plain(index)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            return _is_plain_function(function) and all(map(_is_plain, (*arguments, *keywords)))
        case _:
            return isinstance(node, _PLAIN) and all(map(_is_plain, ast.iter_child_nodes(node)))


def _is_plain_function(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return name in _FUNCTIONS
        case ast.Attribute(value=ast.Name(id="math")):
            return True
        case ast.Attribute(value=value, attr=method):
            return (method in _READERS or _is_in_place(method) or method == "__setitem__") and _is_plain(value)
        case _:
            return False


def _attributes(value: ast.expr) -> frozenset[str]:
    return frozenset(node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute) and _is_self(node))


def _read(target: ast.expr) -> ast.expr:
    """The same expression, to be read."""
    return ast.parse(ast.unparse(target), mode="eval").body
