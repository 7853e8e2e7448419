"""A function made by the constructor holds a parameter that nobody counts.
Defence: executed
Check: parameters
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _projection(width: int):
    weight = nn.Parameter(torch.ones(width, width) / width)
    return lambda v: v @ weight.to(v.dtype)


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.extra = _projection(hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        y = y + self.extra(v)
        return self.out(y)
