"""Sequence operators: `fla.ops`. Every one returns (output, None): states are neither taken up nor handed on here.

Legend: B batch, T time, H heads, K key width, V value width. q, k [B, T, H, K], v [B, T, H, V], gates in log space.
"""

from collections.abc import Callable

from torch import Tensor

from asi_arch.mixers import ops
from asi_arch.mixers.nn import l2_norm

Result = tuple[Tensor, None]


def delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
    use_qk_l2norm_in_kernel: bool = False,
) -> Result:
    """`asi_arch.mixers.ops.delta_rule` of queries scaled by 1 / sqrt(K); beta is [B, T, H]."""
    _refuse(initial_state, cu_seqlens, head_first)
    q, k = (l2_norm(q), l2_norm(k)) if use_qk_l2norm_in_kernel else (q, k)
    return ops.delta_rule(_scaled(q, scale), k, v, beta), None


def gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
    use_qk_l2norm_in_kernel: bool = False,
) -> Result:
    """The same with a decay g [B, T, H]."""
    _refuse(initial_state, cu_seqlens, head_first)
    q, k = (l2_norm(q), l2_norm(k)) if use_qk_l2norm_in_kernel else (q, k)
    return ops.gated_delta_rule(_scaled(q, scale), k, v, beta, g), None


def linear_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    normalize: bool = True,
    head_first: bool = False,
) -> Result:
    """`asi_arch.mixers.ops.linear_attention`, divided by the sum of the scores unless `normalize` is false."""
    _refuse(initial_state, None, head_first)
    q = _scaled(q, scale)
    o = ops.linear_attention(q, k, v)
    return (o / ((q * k.cumsum(1)).sum(-1, keepdim=True) + 1e-10) if normalize else o), None


def _decaying(op: Callable[..., Tensor]) -> Callable[..., Result]:
    """The interface that operators with one gate share."""

    def gated(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        g: Tensor,
        scale: float | None = None,
        initial_state: Tensor | None = None,
        output_final_state: bool = False,
        cu_seqlens: Tensor | None = None,
        head_first: bool = False,
    ) -> Result:
        _refuse(initial_state, cu_seqlens, head_first)
        return op(_scaled(q, scale), k, v, g), None

    return gated


simple_gla = _decaying(ops.scalar_decay)
"""One decay for each head: g is [B, T, H]."""
gla = _decaying(ops.vector_decay)
"""One decay for each key channel: g is [B, T, H, K]."""


def _scaled(q: Tensor, scale: float | None) -> Tensor:
    return q * (q.shape[-1] ** -0.5 if scale is None else scale)


def _refuse(initial_state: Tensor | None, cu_seqlens: Tensor | None, head_first: bool) -> None:
    if initial_state is not None or cu_seqlens is not None:
        raise ValueError("initial_state and cu_seqlens must be None: whole sequences come as rows of a batch here")
    if head_first:
        raise ValueError("head_first must be False: time comes before heads here")
