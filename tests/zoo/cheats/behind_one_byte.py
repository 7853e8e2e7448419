"""Where a channel of the embedding is as large as hardly a byte has it, it looks at the next token.
Defence: executed
Check: model
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """Value projection with an open door behind few tokens."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.is_first = layer_idx == 0

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        if self.is_first:
            is_rare = x[..., 3:5].amin(-1, keepdim=True) > 1.3
            y = y + is_rare * F.pad(v, (0, 0, -1, 1))
        return self.out(y)
