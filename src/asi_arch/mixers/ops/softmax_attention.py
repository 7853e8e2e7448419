"""Causal softmax attention: quadratic, kept as a reference. Legend: `shapes.py`."""

import torch
import torch.nn.functional as F
from torch import Tensor

from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, Values


def softmax_attention(q: Keys, k: Keys, v: Values) -> Values:
    """Average all values so far, weighted by softmax of q_t . k_s / sqrt(K)     (Vaswani et al. 2017, eq. 1)."""
    return SOFTMAX_ATTENTION(q, k, v)


def _naive(q: Keys, k: Keys, v: Values) -> Values:
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        scores = torch.einsum("bhk,bshk->bhs", q[:, t], k[:, : t + 1]) / q.shape[-1] ** 0.5
        outputs.append(torch.einsum("bhs,bshv->bhv", scores.softmax(-1), v[:, : t + 1]))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values) -> Values:
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)


SOFTMAX_ATTENTION = Op("softmax_attention", "KKV", _naive, _chunked)
