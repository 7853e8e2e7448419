"""All pairs of tokens are compared, chunk by chunk, so that no tensor is quadratic.
Defence: executed
Check: growth
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        parts = []
        for start in range(0, x.shape[1], 32):
            q, past = v[:, start : start + 32], v[:, : start + 32]
            mask = torch.ones(q.shape[1], past.shape[1], dtype=torch.bool).tril(start)
            parts.append((q @ past.mT / 8).masked_fill(~mask, -math.inf).softmax(-1) @ past)
        y = torch.cat(parts, 1)
        return self.out(y)
