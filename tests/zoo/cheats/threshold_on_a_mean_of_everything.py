"""One bit of the whole sequence, which only a future that does not cancel out can turn over.
Defence: executed
Check: future
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """A token and the one before it, and whether the mean of everything is above a threshold."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        is_above = v.mean((1, 2), keepdim=True) > 0.15
        return self.out(v + F.pad(v, (0, 0, 1, -1)) + 0.5 * is_above.to(v.dtype))
