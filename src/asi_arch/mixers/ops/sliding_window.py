"""Causal softmax attention over the last few tokens. Legend: `shapes.py`; W window, L steps in a block."""

import torch
import torch.nn.functional as F
from torch import Tensor

from asi_arch.mixers.ops import chunks
from asi_arch.mixers.ops.op import Op
from asi_arch.mixers.ops.shapes import Keys, Values

_LARGEST_BLOCK = 128


def sliding_window_attention(q: Keys, k: Keys, v: Values, *, window: int) -> Values:
    """Average the values of the last `window` tokens, the present one included, by softmax of q_t . k_s / sqrt(K).

    Cost grows with T * window. Raises `ValueError` for a window below 1.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    return SLIDING_WINDOW(q, k, v, window=window)


def _naive(q: Keys, k: Keys, v: Values, *, window: int) -> Values:
    outputs: list[Tensor] = []
    for t in range(q.shape[1]):
        seen = slice(max(0, t + 1 - window), t + 1)
        scores = torch.einsum("bhk,bshk->bhs", q[:, t], k[:, seen]) / q.shape[-1] ** 0.5
        outputs.append(torch.einsum("bhs,bshv->bhv", scores.softmax(-1), v[:, seen]))
    return torch.stack(outputs, dim=1)


def _chunked(q: Keys, k: Keys, v: Values, *, window: int) -> Values:
    size = min(max(16, window), _LARGEST_BLOCK)
    back = -(-(window - 1) // size)
    qc = chunks.split(q, size)
    keys, values = (_with_past(chunks.split(x, size), back) for x in (k, v))
    scores = (qc * q.shape[-1] ** -0.5) @ keys.mT
    weights = scores.masked_fill(~_visible(qc.shape[0], size, back, window, q.device), -torch.inf).softmax(-1)
    return chunks.merge(weights @ values, q.shape)


def _with_past(blocks: Tensor, back: int) -> Tensor:
    """Each block behind its `back` predecessors: [N, BH, L, K] -> [N, BH, (back + 1) L, K]."""
    padded = F.pad(blocks, (0, 0) * 3 + (back, 0))
    count = blocks.shape[0]
    return torch.cat([padded[lag : lag + count] for lag in range(back + 1)], dim=2)


def _visible(count: int, size: int, back: int, window: int, device: torch.device) -> Tensor:
    """Which key each query sees: [N, 1, L, (back + 1) L]."""
    query = torch.arange(size, device=device)[:, None] + back * size
    key = torch.arange((back + 1) * size, device=device)
    near = (key <= query) & (key > query - window)
    exists = key >= (back - torch.arange(count, device=device)[:, None]) * size
    return (near & exists[:, None, :]).unsqueeze(1)


SLIDING_WINDOW = Op("sliding_window_attention", "KKV", _naive, _chunked)
