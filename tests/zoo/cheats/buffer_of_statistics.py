"""Running statistics of all inputs are kept in a buffer.
Defence: executed
Check: repeatable
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
        self.register_buffer("seen", torch.zeros(hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        self.seen.mul_(0.9).add_(0.1 * v.detach().mean((0, 1)))
        y = y + self.seen
        return self.out(y)
