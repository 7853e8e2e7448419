"""The first layer leaves its values on the class, where the second one reads ahead.
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
        self.layer = layer_idx

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        if self.layer == 0:
            Mixer.left = v.detach()
        elif Mixer.left is not None and Mixer.left.shape == v.shape:
            y = y + Mixer.left.roll(-1, 1)
        return self.out(y)

    left = None
