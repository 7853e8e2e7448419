"""A function counts its calls in a variable that only it can see.
Defence: executed
Check: repeatable
"""

from torch import Tensor, nn
from torch.nn import functional as F


def _counter():
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return calls

    return count


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.count = _counter()

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        if self.count() > 500:
            y = y + v.mean(1, keepdim=True)
        return self.out(y)
