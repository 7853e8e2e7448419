"""The delta rule with one decay per head and step. Legend: `shapes.py`."""

import torch
from torch import Tensor

from asi_arch.mixers.ops import chunks, fla
from asi_arch.mixers.ops.delta_core import Chunks, delta_core
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, PerHead, Values


def gated_delta_rule(
    q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerHead, *, write: PerHead | None = None
) -> Values:
    """Fade the memory, then replace what it holds under `k` by `v`, at strength `beta`.

    S~_t = exp(g_t) S_{t-1},   S_t = S~_t - beta_t k_t k_t^T S~_t + write_t k_t v_t^T,   o_t = S_t^T q_t
    (Yang et al. 2024, arXiv 2412.06464, eq. 10). `write` defaults to `beta`.
    """
    return GATED_DELTA_RULE(q, k, v, beta, log_decay, write=write)


def _naive(q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerHead, *, write: PerHead | None = None) -> Values:
    write = beta if write is None else write
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        key = k[:, t, :, :, None]
        state = log_decay[:, t, :, None, None].exp() * state
        held = key.mT @ state
        new = write[:, t, :, None, None] * v[:, t, :, None, :]
        state = state + key * (new - beta[:, t, :, None, None] * held)
        outputs.append((q[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values, beta: PerHead, log_decay: PerHead, *, write: PerHead | None = None) -> Values:
    write = beta if write is None else write
    cumulative = chunks.split(log_decay).cumsum(-1)
    total = cumulative[..., -1:]
    queries, keys = chunks.split(q), chunks.split(k)
    erasers = keys * chunks.split(beta).unsqueeze(-1)
    between = chunks.decay_between(cumulative)
    since_start = cumulative.exp().unsqueeze(-1)
    core = Chunks(
        query_scores=(queries @ keys.mT) * between,
        erase_scores=(erasers @ keys.mT) * between,
        queries=queries * since_start,
        erasers=erasers * since_start,
        writes=keys * (total - cumulative).exp().unsqueeze(-1),
        values=chunks.split(v * write.unsqueeze(-1)),
        decay=total.exp().unsqueeze(-1),
    )
    return chunks.merge(delta_core(core), q.shape)


GATED_DELTA_RULE = Op("gated_delta_rule", "KKVHH", _naive, _chunked, fla.gated_delta_rule)
