"""Every token of a chunk gets the mean of the chunk.
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
        chunk = 16
        padded = F.pad(v, (0, 0, 0, -x.shape[1] % chunk)).unflatten(1, (-1, chunk))

        means = padded.mean(2, keepdim=True).expand_as(padded)
        y = y + means.flatten(1, 2)[:, : x.shape[1]]
        return self.out(y)
