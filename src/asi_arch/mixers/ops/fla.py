"""Calls into flash-linear-attention, imported when first used.

Its conventions in 0.6: time before heads, gates in log space, `scale` defaults to 1/sqrt(K), every function returns
(output, final state), q, k and v have one dtype. Ours: the same layout and log gates, scale 1.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from asi_arch.mixers.ops.shapes import Keys, PerChannel, PerHead, Values


@cache
def is_installed() -> bool:
    """Whether the package can be imported."""
    return find_spec("fla") is not None


@cache
def _function(module: str, name: str) -> Any:
    return getattr(import_module(f"fla.ops.{module}"), name)


def linear_attention(q: Keys, k: Keys, v: Values) -> Values:
    """`chunk_linear_attn` without its normaliser."""
    return _function("linear_attn", "chunk_linear_attn")(q, k.to(q), v.to(q), scale=1.0, normalize=False)[0]


def scalar_decay(q: Keys, k: Keys, v: Values, log_decay: PerHead) -> Values:
    """`chunk_simple_gla`."""
    return _function("simple_gla", "chunk_simple_gla")(q, k.to(q), v.to(q), g=log_decay.float(), scale=1.0)[0]


def vector_decay(q: Keys, k: Keys, v: Values, log_decay: PerChannel) -> Values:
    """`chunk_gla`."""
    return _function("gla", "chunk_gla")(q, k.to(q), v.to(q), g=log_decay.float(), scale=1.0)[0]


def delta_rule(q: Keys, k: Keys, v: Values, beta: PerHead) -> Values:
    """`chunk_delta_rule`; keys come normalised already."""
    return _function("delta_rule", "chunk_delta_rule")(q, k.to(q), v.to(q), beta=beta, scale=1.0)[0]


def gated_delta_rule(q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerHead) -> Values:
    """`chunk_gated_delta_rule`."""
    function = _function("gated_delta_rule", "chunk_gated_delta_rule")
    return function(q, k.to(q), v.to(q), g=log_decay.float(), beta=beta, scale=1.0)[0]


def channel_delta_rule(q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerChannel) -> Values:
    """`chunk_kda`."""
    return _function("kda", "chunk_kda")(q, k.to(q), v.to(q), g=log_decay.float(), beta=beta, scale=1.0)[0]
