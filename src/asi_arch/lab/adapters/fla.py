"""A layer in the interface of flash-linear-attention as a mixer.

    DeltaNet(mode=..., d_model=..., hidden_size=..., num_heads=..., layer_idx=..., ...)
    forward(hidden_states, attention_mask, past_key_values, ...) -> (output, auxiliary loss or None, past_key_values)

Legend: B batch, T time, D width.
"""

import ast
import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from asi_arch.lab.adapters.rewriting import RUNTIME_NAME, rewritten
from asi_arch.lab.adapters.runtime import Advance, Runtime, move_on
from asi_arch.lab.adapters.stand_ins.registry import ROOTS, builtins_with_stand_ins, check_names
from asi_arch.lab.imports import ALLOWED_IMPORTS
from asi_arch.lab.loading import MODULE_NAME, LoadFailure, check_imports, executed, parsed

FLA_IMPORTS = ALLOWED_IMPORTS | {
    *ROOTS,
    *("abc", "contextlib", "copy", "enum", "itertools", "logging", "numbers", "operator", "random"),
    *("typing_extensions", "warnings"),
}
_CLASS = "DeltaNet"
_INPUT = "hidden_states"
_WIDTHS = ("hidden_size", "d_model")
_HEADS = ("num_heads", "n_heads")
_LAYERS = ("layer_idx",)
_USUAL: Mapping[str, object] = {
    "mode": "chunk",
    "expand_k": 1.0,
    "expand_v": 1.0,
    "use_beta": True,
    "use_gate": False,
    "use_output_norm": True,
    "use_short_conv": True,
    "conv_size": 4,
    "conv_bias": False,
    "allow_neg_eigval": False,
    "qk_activation": "silu",
    "qk_norm": "l2",
    "norm_eps": 1e-5,
}
"""For arguments of the constructor that have no default."""
_UNUSED: Mapping[str, object] = {
    "attention_mask": None,
    "past_key_values": None,
    "use_cache": False,
    "output_attentions": False,
}
"""For arguments of `forward` that have no default."""
_WRAPPER = """
class Mixer(Adapted):
    def forward(self, x):
        return self.adapted(x)
"""
# Run among the program's own names, so that checks that look at the module of a mixer's class see the program's.


class Plan(NamedTuple):
    """How the layer is made and called."""

    layer: type[nn.Module]
    runtime: Runtime
    counters: frozenset[str]
    extra: Mapping[str, object]
    """Arguments that `forward` has no defaults for."""


class Adapted(nn.Module):
    """The layer with our constructor and call. Counters move on when the gradient of the output is computed."""

    plan: Plan

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int) -> None:
        super().__init__()
        layer = self.plan.layer
        with self.plan.runtime.making():
            self.layer = layer(**_arguments(layer, hidden_size, num_heads, layer_idx))
        self._plain = _plain_counters(self.layer, self.plan.counters)
        if self._plain:
            # Counters that are no part of the trained weights would be lost with them.
            self.register_buffer("counts", torch.zeros(len(self._plain)))
            self._keep_counts()
            self.register_load_state_dict_post_hook(_take_counts)

    def adapted(self, x: Tensor) -> object:
        """[B, T, D] -> [B, T, D], or (that, auxiliary loss)."""
        with self.plan.runtime.passing(x) as advances:
            answer = self.layer(x, **self.plan.extra)
        y, auxiliary = _parts(answer)
        if not isinstance(y, Tensor):
            return answer
        y = y.to(x.dtype)
        if advances and self.training and y.requires_grad:
            y.register_hook(lambda _: self._move_on(advances))
        return y if auxiliary is None else (y, auxiliary)

    @property
    def counters(self) -> frozenset[str]:
        """Entries of the state dictionary that move on once for each training step, by design."""
        names = self.plan.counters
        held = {name for name in self.state_dict() if name.rpartition(".")[2] in names}
        return frozenset(held | ({"counts"} if self._plain else set()))

    def _move_on(self, advances: list[Advance]) -> None:
        move_on(advances)
        if self._plain:
            self._keep_counts()

    def _keep_counts(self) -> None:
        values = [float(getattr(owner, name)) for owner, name in self._plain]
        self.counts = torch.tensor(values, dtype=self.counts.dtype, device=self.counts.device)

    def take_counts(self) -> None:
        """Give the layer the counts that were loaded with the weights."""
        for (owner, name), value in zip(self._plain, self.counts.tolist(), strict=True):
            now = getattr(owner, name)
            setattr(owner, name, torch.full_like(now, value) if isinstance(now, Tensor) else type(now)(value))


def load_layer(source: str) -> type[nn.Module]:
    """Execute the module and return its layer as a mixer class.

    Raises `LoadFailure` for a syntax error, an import that is forbidden or has no stand-in, no layer or several, and
    for a constructor or `forward` that requires what isn't known here. What the module raises passes through.
    """
    tree, _, counters, is_watched = rewritten(parsed(source), FLA_IMPORTS)
    check_imports(tree, FLA_IMPORTS)
    check_names(tree)
    runtime = Runtime()
    runtime.is_watched = is_watched
    module = executed(tree, source, {RUNTIME_NAME: runtime, "__builtins__": builtins_with_stand_ins(runtime)})
    layer = _layer(tree, vars(module))
    _arguments(layer, 1, 1, 0)
    names: dict[str, Any] = {"Adapted": Adapted}
    exec(compile(_WRAPPER, "<adapter>", "exec"), vars(module), names)
    mixer: type[Adapted] = names["Mixer"]
    mixer.plan = Plan(layer, runtime, counters, _extra(layer))
    return mixer


def _layer(tree: ast.Module, names: Mapping[str, object]) -> type[nn.Module]:
    """The class `DeltaNet`, or the only module whose `forward` takes `hidden_states`."""
    lines = [node.lineno for node in tree.body if isinstance(node, ast.ClassDef) and node.name == _CLASS]
    if len(lines) > 1:
        places = ", ".join(map(str, lines))
        raise LoadFailure(f"there are {len(lines)} classes `{_CLASS}` (lines {places}); keep one", lines[1])
    own = [kind for kind in names.values() if isinstance(kind, type) and kind.__module__ == MODULE_NAME]
    modules = list(dict.fromkeys(kind for kind in own if issubclass(kind, nn.Module)))
    named = [kind for kind in modules if names.get(_CLASS) is kind]
    if lines or named:
        found = named
    else:
        found = [kind for kind in modules if _INPUT in inspect.signature(kind.forward).parameters]
    if len(found) == 1:
        return found[0]
    if lines:
        raise LoadFailure(f"`{_CLASS}` must be a class derived from torch.nn.Module", lines[0])
    if found:
        listed = ", ".join(f"`{kind.__name__}`" for kind in found)
        raise LoadFailure(f"several classes take `{_INPUT}`: {listed}; call the one that is meant `{_CLASS}`")
    raise LoadFailure(f"there is no class `{_CLASS}` and no other nn.Module whose forward takes `{_INPUT}`")


def _arguments(layer: type[nn.Module], hidden_size: int, num_heads: int, layer_idx: int) -> dict[str, object]:
    """For the constructor: our sizes, its own defaults, and the usual values where it has none."""
    parameters = _parameters(layer.__init__)
    sizes = {
        **dict.fromkeys(_WIDTHS, hidden_size),
        **dict.fromkeys(_HEADS, num_heads),
        **dict.fromkeys(_LAYERS, layer_idx),
    }
    named = {name: value for name, value in sizes.items() if name in parameters}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if not any(name in parameters for name in _WIDTHS):
        if not takes_any:
            text = f"the constructor of `{layer.__name__}` takes neither `hidden_size` nor `d_model`"
            raise LoadFailure(text, _line(layer.__init__))
        named |= {"hidden_size": hidden_size, "num_heads": num_heads, "layer_idx": layer_idx}
    missing = [name for name in _required(parameters) if name not in named]
    return named | _known(missing, _USUAL, f"the constructor of `{layer.__name__}`", _line(layer.__init__))


def _extra(layer: type[nn.Module]) -> dict[str, object]:
    """Arguments of `forward` after the first that have no default."""
    what = f"`forward` of `{layer.__name__}`"
    parameters = _parameters(layer.forward)
    if not parameters:
        raise LoadFailure(f"{what} takes no input", _line(layer.forward))
    after = dict(list(parameters.items())[1:])
    return _known(_required(after), _UNUSED, what, _line(layer.forward))


def _known(required: list[str], values: Mapping[str, object], what: str, line: int | None) -> dict[str, object]:
    for name in required:
        if name not in values:
            raise LoadFailure(f"{what} requires `{name}`, which is not known here; give it a default", line)
    return {name: values[name] for name in required}


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    """All but `self`."""
    return dict(list(inspect.signature(function).parameters.items())[1:])


def _required(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, p in parameters.items() if p.default is inspect.Parameter.empty and p.kind not in several]


def _line(function: Any) -> int | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else code.co_firstlineno


def _parts(answer: object) -> tuple[object, Tensor | None]:
    """Output and auxiliary loss: the first single number after it. Attention weights have the same place."""
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    if not parts:
        return answer, None
    losses = [part for part in parts[1:] if isinstance(part, Tensor) and part.numel() == 1]
    losses = [loss.reshape(()) for loss in losses if loss.is_floating_point()]
    return parts[0], losses[0] if losses else None


def _plain_counters(layer: nn.Module, counters: frozenset[str]) -> list[tuple[nn.Module, str]]:
    """Counters of one number that the state dictionary leaves out, with the modules that hold them."""
    kept = layer.state_dict().keys()
    return [
        (module, name)
        for path, module in layer.named_modules()
        for name in sorted(counters)
        if f"{path}.{name}".strip(".") not in kept and _is_number(getattr(module, name, None))
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, Tensor) and not isinstance(value, nn.Parameter) and value.numel() == 1
    )


def _take_counts(module: nn.Module, _incompatible: object) -> None:
    assert isinstance(module, Adapted)
    module.take_counts()
