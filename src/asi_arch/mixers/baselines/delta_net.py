"""DeltaNet.

The memory first looks up what it holds under a key and then writes only the difference to the new value, at a strength
that each token chooses. So an association can be replaced instead of piling up beside the old one, which plain linear
attention can't do. Keys of unit length keep the memory stable. After Schlag et al. 2021 (arXiv 2102.11174) and Yang et
al. 2024 (arXiv 2406.06484).
"""

from torch import Tensor, nn

from asi_arch.mixers.nn import RMSNorm, ShortConvolution, l2_norm, merge_heads, split_heads
from asi_arch.mixers.ops import delta_rule


class Mixer(nn.Module):
    """Short convolution, unit keys, delta rule, norm per head."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size)
        self.beta = nn.Linear(hidden_size, num_heads, bias=False)
        self.norm = RMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        heads = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads)
        qk, v = heads.split([2 * self.num_heads, self.num_heads], dim=2)
        q, k = l2_norm(qk).chunk(2, dim=2)
        y = delta_rule(q, k, v, self.beta(x).sigmoid())
        return self.out(merge_heads(self.norm(y)))
