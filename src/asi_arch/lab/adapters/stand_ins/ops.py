"""Sequence operators: `fla.ops`. Every one returns (output, final state or None).

Legend: B batch, T time, H heads, K key width, V value width. q, k [B, T, H, K], v [B, T, H, V], gates in log space.
States are [B, H, K, V]. Queries are scaled by 1 / sqrt(K) unless `scale` says otherwise.
"""

import torch
from torch import Tensor

from asi_arch.lab.adapters.stand_ins.states import DECAY, STRENGTH, Request, Tokens, run
from asi_arch.mixers import ops
from asi_arch.mixers.nn import l2_norm

Result = tuple[Tensor, Tensor | None]


def delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor | None = None,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
    use_qk_l2norm_in_kernel: bool = False,
) -> Result:
    """`asi_arch.mixers.ops.delta_rule`; beta is [B, T, H], one where it is missing."""
    q, k = (l2_norm(q), l2_norm(k)) if use_qk_l2norm_in_kernel else (q, k)
    tokens = Tokens(_scaled(q, scale), k, v, (torch.ones_like(q[..., 0]) if beta is None else beta,))
    asked = Request(initial_state, output_final_state, cu_seqlens, head_first)
    return run(ops.delta_rule, tokens, (STRENGTH,), asked)


def gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor | None = None,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
    use_qk_l2norm_in_kernel: bool = False,
) -> Result:
    """The same with a decay g [B, T, H]."""
    q, k = (l2_norm(q), l2_norm(k)) if use_qk_l2norm_in_kernel else (q, k)
    tokens = Tokens(_scaled(q, scale), k, v, (torch.ones_like(g) if beta is None else beta, g))
    asked = Request(initial_state, output_final_state, cu_seqlens, head_first)
    return run(ops.gated_delta_rule, tokens, (STRENGTH, DECAY), asked)


def linear_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    normalize: bool = True,
    head_first: bool = False,
    cu_seqlens: Tensor | None = None,
) -> Result:
    """`asi_arch.mixers.ops.linear_attention`, divided by the sum of the scores unless `normalize` is false."""
    q = _scaled(q, scale)
    asked = Request(initial_state, output_final_state, cu_seqlens, head_first)
    o, final = run(ops.linear_attention, Tokens(q, k, v, ()), (), asked)
    time = 2 if head_first else 1
    return (o / ((q * k.cumsum(time)).sum(-1, keepdim=True) + 1e-10) if normalize else o), final


def simple_gla(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor | None = None,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
) -> Result:
    """`asi_arch.mixers.ops.scalar_decay`: one decay for each head, g is [B, T, H]; none where it is missing."""
    tokens = Tokens(_scaled(q, scale), k, v, (torch.zeros_like(q[..., 0]) if g is None else g,))
    asked = Request(initial_state, output_final_state, cu_seqlens, head_first)
    return run(ops.scalar_decay, tokens, (DECAY,), asked)


def gla(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor | None = None,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
    gk: Tensor | None = None,
) -> Result:
    """`asi_arch.mixers.ops.vector_decay`: one decay for each key channel, g or gk is [B, T, H, K]."""
    decay = gk if g is None else g
    tokens = Tokens(_scaled(q, scale), k, v, (torch.zeros_like(k) if decay is None else decay,))
    asked = Request(initial_state, output_final_state, cu_seqlens, head_first)
    return run(ops.vector_decay, tokens, (DECAY,), asked)


def retention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: float | None = None,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    head_first: bool = False,
) -> Result:
    """`simple_gla` with the decay 1 - 2^(-5 - h) of head h     (RetNet, Sun et al. 2023)."""
    heads = q.shape[1 if head_first else 2]
    rates = torch.log1p(-(2.0 ** (-5.0 - torch.arange(heads, dtype=torch.float64)))).to(q)
    decay = (rates[:, None] if head_first else rates).expand(q.shape[:3])
    return simple_gla(q, k, v, decay, scale, initial_state, output_final_state, cu_seqlens, head_first)


def _scaled(q: Tensor, scale: float | None) -> Tensor:
    return q * (q.shape[-1] ** -0.5 if scale is None else scale)
