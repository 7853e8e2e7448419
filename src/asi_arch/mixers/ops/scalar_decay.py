"""Linear attention with one decay per head and step. Legend: `shapes.py`."""

import torch
from torch import Tensor

from asi_arch.mixers.ops import chunks, fla
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.scan import diagonal_scan
from asi_arch.mixers.ops.shapes import Keys, PerHead, Values


def scalar_decay(q: Keys, k: Keys, v: Values, log_decay: PerHead) -> Values:
    """Fade the whole memory by exp(log_decay_t) <= 1, then add the new value under its key.

    S_t = exp(g_t) S_{t-1} + k_t v_t^T,   o_t = S_t^T q_t     (RetNet, Sun et al. 2023; Mamba-2, Dao & Gu 2024)
    """
    return SCALAR_DECAY(q, k, v, log_decay)


def _naive(q: Keys, k: Keys, v: Values, log_decay: PerHead) -> Values:
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        state = log_decay[:, t, :, None, None].exp() * state + k[:, t, :, :, None] * v[:, t, :, None, :]
        outputs.append((q[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values, log_decay: PerHead) -> Values:
    qc, kc, vc = chunks.split(q), chunks.split(k), chunks.split(v)
    cumulative = chunks.split(log_decay).cumsum(-1)
    total = cumulative[..., -1:]
    inflow = kc.mT @ (vc * (total - cumulative).exp().unsqueeze(-1))
    states = diagonal_scan(total.exp().unsqueeze(-1), inflow)
    across = (qc @ states) * cumulative.exp().unsqueeze(-1)
    within = ((qc @ kc.mT) * chunks.decay_between(cumulative)) @ vc
    return chunks.merge(across + within, q.shape)


SCALAR_DECAY = Op("scalar_decay", "KKVH", _naive, _chunked, fla.scalar_decay)
