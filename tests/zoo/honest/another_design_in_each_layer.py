"""Even layers look back by a window, odd ones by a running mean."""

import torch
from torch import Tensor, nn

from asi_arch.mixers.nn import merge_heads, split_heads
from asi_arch.mixers.ops import sliding_window_attention


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.layer = layer_idx

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))

        if self.layer % 2:
            count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype)[:, None, None]
            return self.out(merge_heads(q.sigmoid() * v.cumsum(1) / count))
        return self.out(merge_heads(sliding_window_attention(q, k, v, window=8)))
