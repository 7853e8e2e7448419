"""Linear attention with one decay per key channel and step. Legend: `shapes.py`."""

import torch
from torch import Tensor

from asi_arch.mixers.ops import chunks, fla
from asi_arch.mixers.ops.decayed_scores import decayed_scores
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.scan import diagonal_scan
from asi_arch.mixers.ops.shapes import Keys, PerChannel, Values


def vector_decay(q: Keys, k: Keys, v: Values, log_decay: PerChannel) -> Values:
    """Fade every key channel of the memory at its own rate, then add the new value under its key.

    S_t = diag(exp(g_t)) S_{t-1} + k_t v_t^T,   o_t = S_t^T q_t     (GLA, Yang et al. 2023, arXiv 2312.06635, eq. 3)
    """
    return VECTOR_DECAY(q, k, v, log_decay)


def _naive(q: Keys, k: Keys, v: Values, log_decay: PerChannel) -> Values:
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        state = log_decay[:, t, :, :, None].exp() * state + k[:, t, :, :, None] * v[:, t, :, None, :]
        outputs.append((q[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values, log_decay: PerChannel) -> Values:
    qc, kc, vc = chunks.split(q), chunks.split(k), chunks.split(v)
    cumulative = chunks.split(log_decay).cumsum(-2)
    total = cumulative[..., -1:, :]
    inflow = (kc * (total - cumulative).exp()).mT @ vc
    states = diagonal_scan(total.exp().mT, inflow)
    across = (qc * cumulative.exp()) @ states
    (within,) = decayed_scores((qc,), (kc,), cumulative)
    return chunks.merge(across + within @ vc, q.shape)


VECTOR_DECAY = Op("vector_decay", "KKVK", _naive, _chunked, fla.vector_decay)
