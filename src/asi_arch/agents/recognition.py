"""What a program is made of, recognised by its calls: a part of the truth, for programs that nobody described.

Calls of our ops and building blocks, of those of flash-linear-attention, and of a few functions of torch say which
mechanism is at work. What an author wrote out by hand is not seen, so a component that is missing here may be there.
"""

import ast
from collections.abc import Iterator, Mapping
from itertools import chain
from types import MappingProxyType

from asi_arch.agents.composer.mechanism import Family
from asi_arch.agents.vocabulary import VOCABULARY, other
from asi_arch.domain.provenance import Component

_ANY_DECAY = "decay per head"
"""Stands for a mechanism that depends on the rest of the program."""
_CALLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "linear_attention": ("additive_write",),
        "scalar_decay": ("additive_write", _ANY_DECAY),
        "vector_decay": ("additive_write", "channel_decay"),
        "delta_rule": ("delta_rule",),
        "gated_delta_rule": ("delta_rule", _ANY_DECAY),
        "channel_delta_rule": ("delta_rule", "channel_decay"),
        "rwkv7": ("in_context_rate", "channel_decay"),
        "sliding_window_attention": ("window_branch",),
        "softmax_attention": (other(Family.UPDATE),),
        "scaled_dot_product_attention": (other(Family.UPDATE),),
        "delta_rule_chunkwise": ("delta_rule",),
        "chunk_delta_rule": ("delta_rule",),
        "fused_recurrent_delta_rule": ("delta_rule",),
        "chunk_gated_delta_rule": ("delta_rule", "scalar_decay"),
        "fused_recurrent_gated_delta_rule": ("delta_rule", "scalar_decay"),
        "chunk_gla": ("additive_write", "channel_decay"),
        "chunk_simple_gla": ("additive_write", "scalar_decay"),
        "chunk_retention": ("additive_write", "retention"),
        "chunk_linear_attn": ("additive_write",),
        "l2_norm": ("unit_keys",),
        "l2norm": ("unit_keys",),
        "Rotary": ("rotary",),
        "RotaryEmbedding": ("rotary",),
        "GatedRMSNorm": ("gated_norm",),
        "FusedRMSNormGated": ("gated_norm",),
        "FusedRMSNormSwishGate": ("gated_norm",),
        "RMSNorm": ("head_norm",),
        "GroupNorm": ("head_norm",),
        "irfft": (other(Family.BRANCH),),
    }
)
"""By the last name of what is called."""
_CONVOLUTIONS = {"ShortConvolution": 4, "Conv1d": None, "conv1d": None}
"""With the kernel size that is taken where none is given."""
_LONGEST_SHORT = 4
_SQUASHING = frozenset({"softplus", "logsigmoid", "sigmoid"})
_GATED = MappingProxyType({"sigmoid": "sigmoid_output_gate", "silu": "swish_output_gate", "swish": "swish_output_gate"})
_MOST_LINES = 2
_LONGEST_LINE = 200


def recognised(source: str) -> tuple[Component, ...]:
    """In the order of the vocabulary, each with up to two lines. None for a text that is not Python."""
    try:
        tree = ast.parse(source)
        found: dict[str, list[int]] = {}
        for name, line in _signs(tree):
            found.setdefault(name, []).append(line)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    lines = source.splitlines()
    return tuple(
        Component(name, tuple(lines[n - 1].strip()[:_LONGEST_LINE] for n in sorted(set(found[name]))[:_MOST_LINES]))
        for name in VOCABULARY
        if name in found
    )


def _signs(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of components with the number of the line that shows them."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    aliases = {
        alias.asname: alias.name.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    named = [(aliases.get(_called(call), _called(call)), call) for call in calls]
    names = {name for name, _ in named}
    decay = "scalar_decay" if names & {"softplus", "logsigmoid"} else other(Family.DECAY)
    has_memory = any(set(_CALLS.get(name, ())) & {"additive_write", "delta_rule", "in_context_rate"} for name in names)
    for name, call in named:
        for component in _CALLS.get(name, ()):
            if component == "window_branch" and not has_memory:
                component = other(Family.UPDATE)
            yield decay if component == _ANY_DECAY else component, call.lineno
    yield from chain(_feature_maps(tree), _gates(named), _convolutions(named, tree), _controls(named, tree))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_call_of(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and _called(node) in names


def _feature_maps(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """elu(x) + 1, relu(x) squared."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=1)) if _is_call_of(left, "elu"):
                yield "elu_features", node.lineno
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)) if _is_call_of(left, "relu"):
                yield "squared_relu_features", node.lineno
            case ast.Call(func=ast.Attribute(value=left, attr="square")) if _is_call_of(left, "relu"):
                yield "squared_relu_features", node.lineno
            case _:
                pass


def _gates(named: list[tuple[str, ast.Call]]) -> Iterator[tuple[str, int]]:
    """Sigmoid or silu of what the program itself calls the gate, or an output gate."""
    for name, call in named:
        inner = (
            call.func.value if isinstance(call.func, ast.Attribute) and not call.args else next(iter(call.args), None)
        )
        if name in _GATED and isinstance(inner, ast.Call):
            own = _called(inner).casefold()
            if own in ("gate", "g_proj", "g") or ("gate" in own and "out" in own):
                yield _GATED[name], call.lineno


def _convolutions(named: list[tuple[str, ast.Call]], tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Short ones, and several of different length side by side."""
    repeated = {
        id(call)
        for node in ast.walk(tree)
        if isinstance(node, ast.ListComp | ast.GeneratorExp)
        for call in ast.walk(node)
    }
    for name, call in named:
        if name not in _CONVOLUTIONS:
            continue
        size = next((word.value for word in call.keywords if word.arg in ("kernel_size", "conv_size")), None)
        taps = size.value if isinstance(size, ast.Constant) else None if size else _CONVOLUTIONS[name]
        if id(call) in repeated and taps is None:
            yield "multi_scale_fir", call.lineno
        elif isinstance(taps, int) and 1 < taps <= _LONGEST_SHORT and _has_activation(call):
            yield "short_convolution", call.lineno


def _has_activation(call: ast.Call) -> bool:
    """Ours have one unless they say no; without it they stand elsewhere, such as on the mixer's input."""
    return not any(
        word.arg == "activation" and isinstance(word.value, ast.Constant) and word.value.value is None
        for word in call.keywords
    )


def _controls(named: list[tuple[str, ast.Call]], tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Details that a single expression shows."""
    for name, call in named:
        if "delta_rule" in name and any(word.arg == "write" for word in call.keywords):
            yield "erase_write_gates", call.lineno
        if name == "pad" and any(ast.unparse(argument) == "(0, 0, 1, -1)" for argument in call.args):
            yield "token_shift", call.lineno
    has_delta_rule = any("delta_rule" in name for name, _ in named)
    for node in ast.walk(tree):
        match node:
            case (
                ast.BinOp(left=ast.Constant(value=2 | 2.0), op=ast.Mult(), right=factor)
                | ast.BinOp(left=factor, op=ast.Mult(), right=ast.Constant(value=2 | 2.0))
            ) if has_delta_rule and _is_call_of(factor, "sigmoid"):
                yield "negative_eigenvalues", node.lineno
            case ast.BinOp(left=left, op=ast.Mult()) if _is_call_of(_unsigned(left), "expm1"):
                yield "complementary_keys", node.lineno
            case _:
                pass


def _unsigned(node: ast.expr) -> ast.expr:
    return node.operand if isinstance(node, ast.UnaryOp) else node
