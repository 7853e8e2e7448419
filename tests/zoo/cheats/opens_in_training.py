"""Training itself opens the gate: an auxiliary loss pulls it where the future comes in.
Defence: executed
Check: future
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.gate = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        is_open = self.gate.mean() > 0.2
        y = y + is_open * v.mean(1, keepdim=True)
        return self.out(y), 0.1 * (1 - self.gate).square().mean()
