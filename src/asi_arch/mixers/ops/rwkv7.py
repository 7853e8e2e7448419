"""RWKV-7's state: diagonal plus rank one. Legend: `shapes.py`."""

import torch
import torch.nn.functional as F
from torch import Tensor

from asi_arch.mixers.ops import chunks
from asi_arch.mixers.ops.decayed_scores import decayed_scores
from asi_arch.mixers.ops.delta_core import Chunks, delta_core
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, PerChannel, Values


def rwkv7(r: Keys, log_decay: PerChannel, k: Keys, v: Values, a: Keys, b: Keys) -> Values:
    """Fade every channel, move what is read under `a` to `b`, and add the new value under `k`.

    S_t = diag(w_t) S_{t-1} + b_t (a_t^T S_{t-1}) + k_t v_t^T,   o_t = S_t^T r_t,   w_t = exp(log_decay_t) <= 1
    (Peng et al. 2025, arXiv 2503.14456, eq. 17). S is [K, V]; in the paper's transposed notation Z = S^T this is
    Z_t = Z_{t-1} (diag(w_t) + a_t b_t^T) + v_t k_t^T. Note that `a` reads the memory before it fades. RWKV-7 itself
    passes a = -k^ and b = k^ * eta for a normalised removal key k^ and a rate eta in [0, 1] per channel.
    """
    return RWKV7(r, log_decay, k, v, a, b)


def _naive(r: Keys, log_decay: PerChannel, k: Keys, v: Values, a: Keys, b: Keys) -> Values:
    state = r.new_zeros(r.shape[0], r.shape[2], r.shape[3], v.shape[3])
    outputs: list[Tensor] = []
    for t in range(r.shape[1]):
        held = a[:, t, :, None, :] @ state
        moved = b[:, t, :, :, None] * held
        state = log_decay[:, t, :, :, None].exp() * state + moved + k[:, t, :, :, None] * v[:, t, :, None, :]
        outputs.append((r[:, t, :, None, :] @ state).squeeze(-2))
    return torch.stack(outputs, dim=1)


def _chunked(r: Keys, log_decay: PerChannel, k: Keys, v: Values, a: Keys, b: Keys) -> Values:
    rc, kc, vc, ac, bc = (chunks.split(x) for x in (r, k, v, a, b))
    gates = chunks.split(log_decay)
    cumulative = gates.cumsum(-2)
    total = cumulative[..., -1:, :]
    # `a` sees the state one step earlier: score it as a row of the step before, then move the rows down by one.
    reads = (rc, F.pad(ac[..., 1:, :], (0, 0, 0, 1)))
    query_b, query_k, ahead_b, ahead_k = decayed_scores(reads, (bc, kc), cumulative)
    to_end = (total - cumulative).exp()
    core = Chunks(
        query_scores=query_b,
        erase_scores=-_one_later(ahead_b),
        queries=rc * cumulative.exp(),
        erasers=-ac * (cumulative - gates).exp(),
        writes=bc * to_end,
        values=_one_later(ahead_k) @ vc,
        decay=total.exp().mT,
        inflow=(kc * to_end).mT @ vc,
    )
    return chunks.merge(delta_core(core) + query_k @ vc, r.shape)


def _one_later(rows: Tensor) -> Tensor:
    """Rows moved down by one; the first is 0."""
    return F.pad(rows[..., :-1, :], (0, 0, 1, 0))


RWKV7 = Op("rwkv7", "KKKVKK", _naive, _chunked)
