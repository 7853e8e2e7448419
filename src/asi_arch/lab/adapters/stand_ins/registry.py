"""Which module has which stand-ins, and an `import` that finds them.

The modules are handed to the one program that asks for them and never put into `sys.modules`: our own operators look
for the installed flash-linear-attention there, and must not find these.
"""

import ast
import builtins
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from asi_arch.lab.adapters.runtime import Runtime
from asi_arch.lab.adapters.stand_ins import activations, feature_maps, modules, ops, padding
from asi_arch.lab.loading import LoadFailure

ROOTS = ("fla", "transformers")
_FORMS = ("chunk", "fused_recurrent", "fused_chunk", "parallel")


def _forms(suffix: str, op: Callable[..., Any]) -> dict[str, object]:
    """All algorithms for one operator give the same result."""
    return {f"{form}_{suffix}": op for form in _FORMS}


_NORMS: dict[str, object] = {
    "RMSNorm": modules.RMSNorm,
    "LayerNorm": modules.LayerNorm,
    "GroupNorm": modules.GroupNorm,
}
_GATED_NORMS: dict[str, object] = {
    "FusedRMSNormGated": modules.FusedRMSNormGated,
    "FusedRMSNormSwishGate": modules.FusedRMSNormGated,
    "FusedLayerNormGated": modules.FusedLayerNormGated,
    "FusedLayerNormSwishGate": modules.FusedLayerNormGated,
}
_CONVOLUTIONS: dict[str, object] = {
    "ShortConvolution": modules.ShortConvolution,
    "LongConvolution": modules.LongConvolution,
}
_L2: dict[str, object] = {"l2norm": modules.l2norm, "l2_norm": modules.l2norm, "L2Norm": modules.L2Norm}
_ROTARY: dict[str, object] = {"RotaryEmbedding": modules.RotaryEmbedding}
_ACTIVATIONS: dict[str, object] = {
    "ACT2FN": dict(activations.ACTIVATIONS),
    **{name: activations.ACTIVATIONS[name] for name in ("sigmoid", "logsigmoid", "silu", "swish", "sqrelu")},
    "swiglu": activations.swiglu,
}
_OPS: dict[str, dict[str, object]] = {
    "delta_rule": _forms("delta_rule", ops.delta_rule),
    "gated_delta_rule": _forms("gated_delta_rule", ops.gated_delta_rule),
    "linear_attn": _forms("linear_attn", ops.linear_attention),
    "retention": _forms("retention", ops.retention),
    "simple_gla": _forms("simple_gla", ops.simple_gla),
    "gla": _forms("gla", ops.gla),
}
_CONTENTS: Mapping[str, Mapping[str, object]] = {
    "fla": {},
    "fla.modules": {**_NORMS, **_GATED_NORMS, **_CONVOLUTIONS, **_ROTARY, "L2Norm": modules.L2Norm},
    "fla.modules.activations": _ACTIVATIONS,
    "fla.modules.convolution": _CONVOLUTIONS,
    "fla.modules.feature_map": feature_maps.FEATURE_MAPS,
    "fla.modules.fused_norm_gate": _GATED_NORMS,
    "fla.modules.l2norm": _L2,
    "fla.modules.layernorm": _NORMS,
    "fla.modules.rotary": _ROTARY,
    "fla.layers": {},
    "fla.layers.utils": {
        "get_unpad_data": padding.get_unpad_data,
        "index_first_axis": padding.index_first_axis,
        "pad_input": padding.pad_input,
    },
    "fla.ops": {name: op for names in _OPS.values() for name, op in names.items()},
    **{f"fla.ops.{name}": names for name, names in _OPS.items()},
    **{f"fla.ops.{name}.{form}": names for name, names in _OPS.items() for form in _FORMS},
}


class _Placeholder:
    """A type that is named in annotations and nowhere else."""

    def __class_getitem__(cls, item: object) -> type:
        return cls


class _TypesOnly(ModuleType):
    """A module of which only types are used: it has every name that is asked for."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Placeholder,), {})


def is_types_only(name: str) -> bool:
    """Whether nothing but annotations is expected from a module."""
    return name.split(".")[0] == "transformers" or name == "fla.models" or name.startswith("fla.models.")


def check_names(tree: ast.Module) -> None:
    """Take imports from fla out of `tree` that have no stand-in and are never used.

    Raises `LoadFailure` for those that are used, unless the program is prepared to miss them.
    """
    _Checker(frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))).visit(tree)


class _Checker(ast.NodeTransformer):
    def __init__(self, used: frozenset[str]) -> None:
        self._used = used

    def visit_Try(self, node: ast.Try) -> ast.AST:
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        node.names = [alias for alias in node.names if _has_stand_in(alias.name) or self._is_used(alias)]
        for alias in node.names:
            _check_module(alias.name, node.lineno)
        return _statement(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        module = node.module or ""
        if node.level or module.split(".")[0] not in ROOTS or is_types_only(module):
            return node
        there = _CONTENTS.get(module, {})
        node.names = [
            alias
            for alias in node.names
            if alias.name in there or f"{module}.{alias.name}" in _CONTENTS or self._is_used(alias)
        ]
        if node.names:
            _check_from(module, [alias.name for alias in node.names], node.lineno)
        return _statement(node)

    def _is_used(self, alias: ast.alias) -> bool:
        return alias.name == "*" or (alias.asname or alias.name).split(".")[0] in self._used


def _statement(node: ast.Import | ast.ImportFrom) -> ast.stmt:
    return node if node.names else ast.copy_location(ast.Pass(), node)


def _has_stand_in(name: str) -> bool:
    return name.split(".")[0] not in ROOTS or is_types_only(name) or name in _CONTENTS


def _check_module(name: str, line: int) -> None:
    if not _has_stand_in(name):
        there = ", ".join(sorted(_CONTENTS))
        raise LoadFailure(f"the module `{name}` has no stand-in; there are {there}", line)


def _check_from(module: str, names: list[str], line: int) -> None:
    _check_module(module, line)
    for name in names:
        if name != "*" and name not in _CONTENTS[module] and f"{module}.{name}" not in _CONTENTS:
            there = ", ".join(sorted(_CONTENTS[module])) or "none"
            raise LoadFailure(f"`{name}` from `{module}` has no stand-in; there are: {there}", line)


def builtins_with_stand_ins(runtime: Runtime) -> dict[str, object]:
    """The built-in names with an `import` of their own; new modules with every call."""
    found = {name: _module(name, contents) for name, contents in _CONTENTS.items()}
    for name, module in found.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(found[parent], child, module)

    def import_(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        root = name.split(".")[0]
        if name == "random" and not level:
            runtime.is_random = True
            return runtime.random
        if level or root not in ROOTS:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        if is_types_only(name):
            return _TypesOnly(name if fromlist else root)
        if name not in found:
            raise ModuleNotFoundError(f"no stand-in for the module '{name}'", name=name)
        return found[name if fromlist else root]

    return {**vars(builtins), "__import__": import_}


def _module(name: str, contents: Mapping[str, object]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module
