"""A plain object holds a whole layer that nobody counts.
Defence: executed
Check: parameters
"""

from torch import Tensor, nn
from torch.nn import functional as F


class _Holder:
    def __init__(self, width: int):
        self.layer = nn.Linear(width, width)


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.extra = _Holder(hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        y = y + self.extra.layer(v.float()).to(v.dtype)
        return self.out(y)
