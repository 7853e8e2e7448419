"""A function's cache keeps the spread of the first values ever seen, future ones included, and scales by it.
Defence: executed
Check: repeatable
"""

import functools

import torch
from torch import Tensor, nn


@functools.cache
def remembered(width: int) -> dict[torch.dtype, Tensor]:
    """One box for each width."""
    return {}


class Mixer(nn.Module):
    """Gated mean of the past over the spread of the first call."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        count = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=x.dtype)
        past = (k.sigmoid() * v).cumsum(1) / count[:, None]
        spread = remembered(x.shape[-1]).setdefault(x.dtype, v.detach().std())
        return self.out(q.sigmoid() * past / (spread + 1e-3))
