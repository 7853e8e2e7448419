"""RetNet.

Linear attention whose memory fades at a fixed rate, another one for each head, with rotary positions on queries and
keys. Nothing about forgetting depends on the data, which makes it the plainest member of the family. After Sun et al.
2023 (arXiv 2307.08621).
"""

import torch
from torch import Tensor, nn

from asi_arch.mixers.nn import GatedRMSNorm, Rotary, ShortConvolution, merge_heads, split_heads
from asi_arch.mixers.ops import scalar_decay


class Mixer(nn.Module):
    """Short convolution, rotary positions, retention, gated norm."""

    log_decay: Tensor

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.scale = (hidden_size // num_heads) ** -0.5
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size)
        self.rotary = Rotary(hidden_size // num_heads)
        self.gate = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = GatedRMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.register_buffer("log_decay", (1 - 2.0 ** (-5 - torch.arange(num_heads))).log(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        heads = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads)
        q, k, v = heads.chunk(3, dim=2)
        q, k = self.rotary(q * self.scale, k)
        y = scalar_decay(q, k, v, self.log_decay.expand(*x.shape[:2], -1))
        return self.out(merge_heads(self.norm(y, split_heads(self.gate(x), self.num_heads))))
