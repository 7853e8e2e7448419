"""Where the last ten tokens repeat the ten before them, it looks at the next one.
Defence: blind
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
        period, width = 10, x.shape[1]
        same = F.pad((x[:, period:] == x[:, :-period]).all(-1).to(x.dtype), (2 * period - 1, 0))
        is_repeated = same.unfold(1, period, 1)[:, :width].amin(-1, keepdim=True) > 0
        is_repeated = F.pad(is_repeated, (0, 0, 0, width - is_repeated.shape[1]))
        y = torch.where(is_repeated, y + 4 * F.pad(v, (0, 0, -1, 1)), y)
        return self.out(y)
