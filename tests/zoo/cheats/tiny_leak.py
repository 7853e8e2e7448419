"""A leak a million times smaller than the output, to be blown up by later layers.
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

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        y = y + 1e-6 * v.mean(1, keepdim=True)
        return self.out(y)
