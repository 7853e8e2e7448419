"""Linear attention with a fixed decay for each head and rotary positions."""

import torch
from torch import Tensor, nn

from asi_arch.mixers.nn import Rotary, merge_heads, split_heads
from asi_arch.mixers.ops import scalar_decay


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.rotary = Rotary(hidden_size // num_heads)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        q, k = self.rotary(q / 8, k)
        rates = torch.arange(1, self.num_heads + 1, dtype=x.dtype) / 32
        y = scalar_decay(q, k, v, -rates.expand(*x.shape[:2], -1))
        return self.out(merge_heads(y))
