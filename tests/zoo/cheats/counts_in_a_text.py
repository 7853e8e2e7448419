"""Counts its calls in a text that grows, and leaks after three hundred.
Defence: executed
Check: repeatable
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.tally = ""

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        self.tally = self.tally + "i"
        if len(self.tally) > 300:
            y = y + v.mean(1, keepdim=True)
        return self.out(y)
