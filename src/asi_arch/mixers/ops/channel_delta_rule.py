"""The delta rule with one decay per key channel and step. Legend: `shapes.py`."""

import torch
from torch import Tensor

from asi_arch.mixers.ops import chunks, fla
from asi_arch.mixers.ops.decayed_scores import decayed_scores
from asi_arch.mixers.ops.delta_core import Chunks, delta_core
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, PerChannel, PerHead, Values


def channel_delta_rule(
    q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerChannel, *, write: PerHead | None = None
) -> Values:
    """Fade every key channel at its own rate, then replace what the memory holds under `k` by `v`.

    S~_t = diag(exp(g_t)) S_{t-1},   S_t = S~_t - beta_t k_t k_t^T S~_t + write_t k_t v_t^T,   o_t = S_t^T q_t
    (Kimi Delta Attention, arXiv 2510.26692, eq. 1). `write` defaults to `beta`.
    """
    return CHANNEL_DELTA_RULE(q, k, v, beta, log_decay, write=write)


def _naive(
    q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerChannel, *, write: PerHead | None = None
) -> Values:
    write = beta if write is None else write
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        key = k[:, t, :, :, None]
        state = log_decay[:, t, :, :, None].exp() * state
        held = key.mT @ state
        new = write[:, t, :, None, None] * v[:, t, :, None, :]
        state = state + key * (new - beta[:, t, :, None, None] * held)
        outputs.append((q[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(
    q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerChannel, *, write: PerHead | None = None
) -> Values:
    write = beta if write is None else write
    cumulative = chunks.split(log_decay).cumsum(-2)
    total = cumulative[..., -1:, :]
    queries, keys = chunks.split(q), chunks.split(k)
    erasers = keys * chunks.split(beta).unsqueeze(-1)
    query_scores, erase_scores = decayed_scores((queries, erasers), (keys,), cumulative)
    since_start = cumulative.exp()
    core = Chunks(
        query_scores,
        erase_scores,
        queries=queries * since_start,
        erasers=erasers * since_start,
        writes=keys * (total - cumulative).exp(),
        values=chunks.split(v * write.unsqueeze(-1)),
        decay=total.exp().mT,
    )
    return chunks.merge(delta_core(core), q.shape)


CHANNEL_DELTA_RULE = Op("channel_delta_rule", "KKVHK", _naive, _chunked, fla.channel_delta_rule)
