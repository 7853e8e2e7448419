"""Group norm on channels first takes its statistics over time as well.
Defence: executed
Check: future
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = nn.GroupNorm(num_heads, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        y = self.norm(y.mT).mT
        return self.out(y)
