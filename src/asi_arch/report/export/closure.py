"""What a few names need: the definitions that they lead to, in all modules, in an order in which they can be run."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple

from asi_arch.domain.errors import UserError
from asi_arch.report.export.editing import chain
from asi_arch.report.export.sources import External, Import, Module, OwnModule, Statement, Symbol, read, resolved


class Reference(NamedTuple):
    """A place in a program that means a definition of ours: a name, or a module's name with attributes."""

    node: ast.expr
    symbol: Symbol


class Closure(NamedTuple):
    """Definitions with all that they need."""

    modules: tuple[Module, ...]
    """Each after those that it imports from."""
    symbols: frozenset[Symbol]
    externals: frozenset[External]


def closure(wanted: Iterable[Symbol]) -> Closure:
    """Everything that the wanted definitions lead to. Raises `UserError` where that can't be told from the text."""
    symbols: set[Symbol] = set()
    externals: set[External] = set()
    needs: dict[str, set[str]] = {}
    waiting = list(wanted)
    while waiting:
        symbol = waiting.pop()
        if symbol in symbols:
            continue
        module = read(symbol.module)
        statement = module.defining(symbol.name)
        assert statement is not None, f"{symbol} is defined nowhere"
        symbols |= {Symbol(module.name, name) for name in statement.names}
        found = [reference.symbol for reference in references(statement.node, module)]
        needs.setdefault(module.name, set()).update({each.module for each in found} - {module.name})
        externals |= set(_externals(statement, module))
        waiting += found
    order = TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)}).static_order()
    return Closure(tuple(read(name) for name in order), frozenset(symbols), frozenset(externals))


def references(node: ast.AST, module: Module) -> Iterator[Reference]:
    """All places below `node`, a part of the module, that mean a definition of ours."""
    own = {name: Symbol(module.name, name) for statement in module.statements for name in statement.names}
    yield from named(node, {**module.imports, **own})


def named(node: ast.AST, names: Mapping[str, object]) -> Iterator[Reference]:
    """The same, by what each name is bound to. Raises `UserError` for a module of ours that is used as a value."""
    inside: set[int] = set()
    for part in ast.walk(node):
        if not isinstance(part, ast.Attribute | ast.Name) or id(part) in inside:
            continue
        path = chain(part)
        binding = names.get(path[0]) if path else None
        if isinstance(binding, Import):
            binding = resolved(*binding)
        if isinstance(part, ast.Name) and isinstance(binding, Symbol):
            yield Reference(part, binding)
        elif isinstance(binding, OwnModule) and isinstance(part.ctx, ast.Load):
            inside |= {id(below) for below in ast.walk(part)}
            yield _through(part, binding)


def _through(node: ast.expr, start: OwnModule) -> Reference:
    """From `asi_arch.mixers.ops.delta_rule.__name__` to the part of it that is a definition."""
    parts: list[ast.expr] = [node]
    while isinstance(inner := parts[-1], ast.Attribute):
        parts.append(inner.value)
    place: Symbol | OwnModule = start
    for part in reversed(parts[:-1]):
        assert isinstance(part, ast.Attribute)
        place = resolved(place.module, part.attr)
        if isinstance(place, Symbol):
            return Reference(part, place)
    raise UserError(
        f"line {node.lineno}: `{ast.unparse(node)}` uses a module of asi-arch as a value, so that an export can't tell"
        " what is needed of it; name what is used, as in `from asi_arch.mixers.ops import delta_rule`"
    )


def _externals(statement: Statement, module: Module) -> Iterator[External]:
    for part in ast.walk(statement.node):
        if isinstance(part, ast.Name) and isinstance(binding := module.imports.get(part.id), External):
            yield binding
