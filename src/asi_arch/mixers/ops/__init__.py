"""Sequence operators: q, k [B, T, H, K] and v [B, T, H, V] give [B, T, H, V].

Each is one file with the recurrence that defines it and a chunked form; on CUDA in half precision
flash-linear-attention is called where it is installed. Ops neither scale nor normalise (the softmax ones divide by
sqrt(K)); log decays are <= 0; any T is fine; the output at t depends on inputs up to t only.
"""

from collections.abc import Mapping
from types import MappingProxyType

from asi_arch.mixers.ops.channel_delta_rule import CHANNEL_DELTA_RULE, channel_delta_rule
from asi_arch.mixers.ops.delta_rule import DELTA_RULE, delta_rule
from asi_arch.mixers.ops.gated_delta_rule import GATED_DELTA_RULE, gated_delta_rule
from asi_arch.mixers.ops.linear_attention import LINEAR_ATTENTION, linear_attention
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.rwkv7 import RWKV7, rwkv7
from asi_arch.mixers.ops.scalar_decay import SCALAR_DECAY, scalar_decay
from asi_arch.mixers.ops.sliding_window import SLIDING_WINDOW, sliding_window_attention
from asi_arch.mixers.ops.softmax_attention import SOFTMAX_ATTENTION, softmax_attention
from asi_arch.mixers.ops.vector_decay import VECTOR_DECAY, vector_decay

_ALL = (
    LINEAR_ATTENTION,
    SCALAR_DECAY,
    VECTOR_DECAY,
    DELTA_RULE,
    GATED_DELTA_RULE,
    CHANNEL_DELTA_RULE,
    RWKV7,
    SLIDING_WINDOW,
    SOFTMAX_ATTENTION,
)
REGISTRY: Mapping[str, Op] = MappingProxyType({op.name: op for op in _ALL})
"""Every op by its name, which is that of its public function."""

__all__ = [
    "REGISTRY",
    "Op",
    "channel_delta_rule",
    "delta_rule",
    "gated_delta_rule",
    "linear_attention",
    "rwkv7",
    "scalar_decay",
    "sliding_window_attention",
    "softmax_attention",
    "vector_decay",
]
