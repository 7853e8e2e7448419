"""Linear attention: a sum of outer products. Legend: `shapes.py`."""

import torch
from torch import Tensor

from asi_arch.mixers.ops import chunks, fla
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, Values


def linear_attention(q: Keys, k: Keys, v: Values) -> Values:
    """Add every value to the memory under its key; nothing is ever removed.

    S_t = S_{t-1} + k_t v_t^T,   o_t = S_t^T q_t     (Katharopoulos et al. 2020, without the normaliser)
    """
    return LINEAR_ATTENTION(q, k, v)


def _naive(q: Keys, k: Keys, v: Values) -> Values:
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        state = state + k[:, t, :, :, None] * v[:, t, :, None, :]
        outputs.append((q[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values) -> Values:
    qc, kc, vc = chunks.split(q), chunks.split(k), chunks.split(v)
    inflow = kc.mT @ vc
    states = inflow.cumsum(0) - inflow
    return chunks.merge(qc @ states + (qc @ kc.mT).tril() @ vc, q.shape)


LINEAR_ATTENTION = Op("linear_attention", "KKV", _naive, _chunked, fla.linear_attention)
