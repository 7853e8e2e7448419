"""Values are rounded on a scale that the largest of the whole input sets.
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

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        scale = v.abs().amax((1, 2), keepdim=True)
        y = y + torch.round(v / scale * 127) * scale / 127
        return self.out(y)
