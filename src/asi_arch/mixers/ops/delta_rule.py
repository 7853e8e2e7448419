"""The delta rule. Legend: `shapes.py`."""

import torch
from torch import Tensor

from asi_arch.mixers.ops import chunks, fla
from asi_arch.mixers.ops.delta_core import Chunks, delta_core
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, PerHead, Values


def delta_rule(q: Keys, k: Keys, v: Values, beta: PerHead, *, write: PerHead | None = None) -> Values:
    """Replace what the memory holds under `k` by `v`, at strength `beta`.

    S_t = S_{t-1} - beta_t k_t k_t^T S_{t-1} + write_t k_t v_t^T,   o_t = S_t^T q_t     (Schlag et al. 2021, eq. 5)

    `write` defaults to `beta`. With |k| = 1 the memory stays bounded for beta in [0, 2]; above 1 an eigenvalue of the
    transition is negative.
    """
    return DELTA_RULE(q, k, v, beta, write=write)


def _naive(q: Keys, k: Keys, v: Values, beta: PerHead, *, write: PerHead | None = None) -> Values:
    write = beta if write is None else write
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        key = k[:, t, :, :, None]
        held = key.mT @ state
        new = write[:, t, :, None, None] * v[:, t, :, None, :]
        state = state + key * (new - beta[:, t, :, None, None] * held)
        outputs.append((q[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values, beta: PerHead, *, write: PerHead | None = None) -> Values:
    write = beta if write is None else write
    queries, keys = chunks.split(q), chunks.split(k)
    erasers = keys * chunks.split(beta).unsqueeze(-1)
    values = chunks.split(v * write.unsqueeze(-1))
    core = Chunks(queries @ keys.mT, erasers @ keys.mT, queries, erasers, keys, values)
    return chunks.merge(delta_core(core), q.shape)


DELTA_RULE = Op("delta_rule", "KKVH", _naive, _chunked, fla.delta_rule)
