"""Definitions from several modules as one readable module, with the names that two of them share made distinct."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from asi_arch.report.export.closure import Closure, references
from asi_arch.report.export.editing import Edit, edited
from asi_arch.report.export.sources import External, Module, Statement, Symbol

_SHAPES = External("jaxtyping", "Float", "")
"""Types that name the dimensions; `Annotated` says the same without another package."""
_WIDTH = 120


class Merged(NamedTuple):
    """One module."""

    text: str
    names: Mapping[Symbol, str]
    """How each definition is called there."""


def merged(found: Closure, wanted: Iterable[Symbol], docstring: str) -> Merged:
    """All definitions of a closure in one module; those that are wanted keep their names."""
    names = _final_names(found, frozenset(wanted))
    head = f'"""{docstring}"""\n\n' + import_lines(map(_without_shapes, found.externals))
    parts = [head, *(part for module in found.modules for part in _section(module, names))]
    return Merged("\n\n\n".join(part.strip("\n") for part in parts) + "\n", names)


def import_lines(externals: Iterable[External]) -> str:
    """Import statements, the standard library's first, one for each module."""
    plain: set[tuple[str, str]] = set()
    given: dict[str, set[str]] = defaultdict(set)
    for module, name, bound in externals:
        alias = f" as {bound}" if bound and bound != (name or module) else ""
        if name:
            given[module].add(f"{name}{alias}")
        else:
            plain.add((module, f"import {module}{alias}"))
    lines = [*sorted(plain), *((module, from_line(module, sorted(given[module]))) for module in sorted(given))]
    groups = ([line for module, line in lines if _is_standard(module) is standard] for standard in (True, False))
    return "\n\n".join("\n".join(group) for group in groups if group)


def _is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def from_line(module: str, names: list[str]) -> str:
    """`from module import names`, in several lines where one is too short."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _without_shapes(external: External) -> External:
    return External("typing", "Annotated", "") if external == _SHAPES else external


def _final_names(found: Closure, wanted: frozenset[Symbol]) -> dict[Symbol, str]:
    """Every definition's own name, or that with its module's where another has it already."""
    places: dict[str, list[Symbol]] = defaultdict(list)
    for symbol in sorted(found.symbols):
        places[symbol.name].append(symbol)
    names: dict[Symbol, str] = {}
    for name, symbols in places.items():
        keeps = next((symbol for symbol in symbols if symbol in wanted), None)
        for symbol in symbols:
            is_alone = len(symbols) == 1 or symbol == keeps
            names[symbol] = name if is_alone else _distinct(symbol)
    taken = set(names.values())
    assert len(taken) == len(names), "two definitions have one name"
    return names


def _distinct(symbol: Symbol) -> str:
    """'_delta_rule_naive' for `_naive` in ops/delta_rule.py."""
    stem = symbol.module.rpartition(".")[2]
    return f"_{stem}{symbol.name}" if symbol.name.startswith("_") else f"{stem}_{symbol.name}"


def _section(module: Module, names: Mapping[Symbol, str]) -> Iterator[str]:
    """The module's definitions under a line that says where they are from."""
    mine = [s for s in module.statements if any(Symbol(module.name, name) in names for name in s.names)]
    lines = _renamed(module, mine, names).splitlines()
    title = f"# {module.name}: {module.title.partition('. ')[0]}"[:_WIDTH]
    texts = ["\n".join(lines[statement.first - 1 : statement.last]) for statement in mine]
    if not texts:
        return
    block = title
    for before, (statement, text) in zip([None, *mine[:-1]], zip(mine, texts, strict=True), strict=True):
        is_plain = isinstance(statement.node, ast.Assign | ast.AnnAssign)
        was_plain = before is not None and isinstance(before.node, ast.Assign | ast.AnnAssign)
        block += ("\n" if is_plain and was_plain else "\n\n" if before is None else "\n\n\n") + text
    yield block


def _renamed(module: Module, statements: list[Statement], names: Mapping[Symbol, str]) -> str:
    """The module's text with the final names in these statements; no line moves."""
    return edited(module.source, [edit for statement in statements for edit in _edits(statement, module, names)])


def _edits(statement: Statement, module: Module, names: Mapping[Symbol, str]) -> Iterator[Edit]:
    for node, symbol in references(statement.node, module):
        if ast.unparse(node) != names[symbol]:
            yield Edit.of(node, names[symbol])
    node = statement.node
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        final = names[Symbol(module.name, node.name)]
        start = node.col_offset + len("class " if isinstance(node, ast.ClassDef) else "def ")
        if final != node.name:
            yield Edit((node.lineno, start), (node.lineno, start + len(node.name.encode())), final)
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and module.imports.get(part.id) == _SHAPES:
            yield Edit.of(part, "Annotated")
        if isinstance(part, ast.arg) and Symbol(module.name, part.arg) in names:
            assert names[Symbol(module.name, part.arg)] == part.arg, f"{part.arg} in {module.name} has two meanings"
