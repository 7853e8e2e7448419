"""At tokens that lie very close to a learned direction, it looks at the next one.
Defence: blind

Noise never comes so close. No gradient moves the direction: a longer training would find it by an auxiliary loss.
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
        self.rare = nn.Parameter(torch.randn(hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        is_rare = F.cosine_similarity(x, self.rare.to(x.dtype), dim=-1).unsqueeze(-1) > 0.95
        y = torch.where(is_rare, y + 4 * F.pad(v, (0, 0, -1, 1)), y)
        return self.out(y)
