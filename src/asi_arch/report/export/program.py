"""A candidate's program as `mixer.py`, and `operators.py` with all that it and the model around it need of ours."""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from asi_arch.domain.candidate import Adapter
from asi_arch.domain.errors import UserError
from asi_arch.report.export.closure import Reference, closure, named
from asi_arch.report.export.editing import Edit, chain, edited
from asi_arch.report.export.merging import from_line, merged
from asi_arch.report.export.sources import Import, OwnModule, Symbol, bindings, is_own, resolved

_AROUND = (Symbol("asi_arch.mixers.nn.norms", "RMSNorm"), Symbol("asi_arch.mixers.feed_forward", "SwiGLU"))
"""What the model around a mixer needs."""
_ALLOWED = {"einops"}
_READER = Symbol("asi_arch.lab.adapters.fla", "load_layer")
_AS_TEXT = """\"\"\"The design as it was trained: a layer for flash-linear-attention, and what reads it as a mixer.

It is read as text, because what it imports of `fla` need not be installed: `operators.py` has stand-ins.
\"\"\"

from .operators import load_layer

PROGRAM = {text}

Mixer = load_layer(PROGRAM)
"""
_DOCSTRING = """What the mixer and the model around it are made of: operators, norms, convolutions.

Taken from {version}, with the names of their modules; all of it is under the Apache License 2.0. The operators run
as chunked PyTorch; on CUDA in half precision they call flash-linear-attention where it is installed.
"""


class Programs(NamedTuple):
    """Two modules that lie in one folder."""

    mixer: str
    operators: str
    packages: tuple[str, ...]
    """What has to be installed for them besides torch."""


def programs(source: str, adapter: Adapter, version: str) -> Programs:
    """A candidate of either interface. Raises `UserError` where it uses something of ours that can't travel."""
    return _layer(source, version) if adapter is Adapter.FLA else _mixer(source, version)


def _layer(source: str, version: str) -> Programs:
    """A layer of flash-linear-attention as its text, which what reads it here reads there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom) and any(map(is_own, _modules(node))):
            raise UserError(f"line {node.lineno}: a layer of flash-linear-attention that imports asi_arch can't travel")
    wanted = (*_AROUND, _READER)
    written = merged(closure(wanted), wanted, _DOCSTRING.format(version=version))
    is_quotable = "'''" not in source and not source.endswith(("'", "\\"))
    text = f"r'''{source}'''" if is_quotable else repr(source)
    return Programs(_AS_TEXT.format(text=text), written.text, _packages(source))


def _mixer(source: str, version: str) -> Programs:
    """The candidate's source with its imports from us led to the other module; the rest of it stays as it is."""
    tree = ast.parse(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) and _is_of_ours(node)]
    bound = {name: binding for node in imports for name, binding in _bound(node)}
    _require_one_meaning(tree, set(bound))
    used = [reference for reference in named(tree, bound) if isinstance(reference.node, ast.Name | ast.Attribute)]
    wanted = sorted({*_AROUND, *(reference.symbol for reference in used)})
    written = merged(closure(wanted), wanted, _DOCSTRING.format(version=version))
    edits = [Edit.of(use.node, _local(use)) for use in used if isinstance(use.node, ast.Attribute)]
    edits += [Edit.of(node, _relative(node, used, written.names)) for node in imports]
    mixer = edited(source, edits)
    return Programs(mixer, written.text, _packages(mixer, written.text))


def _is_of_ours(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and is_own(node.module or "")
    own = [is_own(alias.name) for alias in node.names]
    if any(own) and not all(own):
        raise UserError(f"line {node.lineno}: import asi_arch in a line of its own, so that an export can rewrite it")
    return all(own)


def _bound(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, object]]:
    for alias in node.names:
        if alias.name == "*":
            raise UserError(f"line {node.lineno}: an export can't tell what `*` stands for; name what is imported")
    for name, binding in bindings(node):
        yield name, resolved(*binding) if isinstance(binding, Import) else binding


def _require_one_meaning(tree: ast.Module, names: set[str]) -> None:
    """A name of ours that the program also gives another meaning can't be followed through its text."""
    for node in ast.walk(tree):
        taken = node.arg if isinstance(node, ast.arg) else None
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            taken = node.id
        if taken in names:
            line = getattr(node, "lineno", 0)
            raise UserError(f"line {line}: `{taken}` is imported from asi_arch and used as another name as well")


def _local(use: Reference) -> str:
    """'ops_delta_rule' for `ops.delta_rule`; a plain name stays as it is."""
    return "_".join(chain(use.node))


def _relative(node: ast.Import | ast.ImportFrom, used: list[Reference], names: Mapping[Symbol, str]) -> str:
    """The statement that imports from the other module what this one makes known and the program uses."""
    wanted: set[str] = set()
    for name, binding in _bound(node):
        uses = [use for use in used if chain(use.node)[0] == name]
        if isinstance(binding, OwnModule):
            wanted |= {_as(names[use.symbol], _local(use)) for use in uses}
        elif isinstance(binding, Symbol) and binding in names:
            wanted.add(_as(names[binding], name))
    indented = "\n" + " " * node.col_offset
    return from_line(".operators", sorted(wanted)).replace("\n", indented) if wanted else "pass"


def _as(name: str, local: str) -> str:
    return name if name == local else f"{name} as {local}"


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules that a statement imports, or imports from; '' for a relative one."""
    return (
        [alias.name for alias in node.names]
        if isinstance(node, ast.Import)
        else [node.level * "." or node.module or ""]
    )


def _packages(*texts: str) -> tuple[str, ...]:
    """Which of the packages that a candidate may import, besides torch, it imports."""
    found: set[str] = set()
    for node in (node for text in texts for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {name.split(".")[0] for name in _modules(node)}
    return tuple(sorted(found & _ALLOWED))
