"""Linear attention.

A sum of outer products of positive keys and values: the simplest memory of constant size. Nothing is ever removed, so
associations pile up and interfere, which is why it serves as the floor for recall. A norm per head takes the place of
the running normaliser. After Katharopoulos et al. 2020 (arXiv 2006.16236) and Qin et al. 2022 (arXiv 2210.10340).
"""

import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.mixers.nn import RMSNorm, ShortConvolution, merge_heads, split_heads
from asi_arch.mixers.ops import linear_attention


class Mixer(nn.Module):
    """Short convolution, positive features, linear attention, norm per head."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size, activation=None)
        self.norm = RMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        heads = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads)
        qk, v = heads.split([2 * self.num_heads, self.num_heads], dim=2)
        q, k = (F.elu(qk) + 1).chunk(2, dim=2)
        return self.out(merge_heads(self.norm(linear_attention(q, k, v))))
