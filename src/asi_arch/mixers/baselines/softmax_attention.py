"""Softmax attention.

Every token looks at all tokens before it, with rotary positions. Its cost grows with the square of the length and its
memory with the length, so it is no candidate: it is the reference for what a memory of constant size gives up. After
Vaswani et al. 2017 (arXiv 1706.03762).
"""

from torch import Tensor, nn

from asi_arch.mixers.nn import Rotary, ShortConvolution, merge_heads, split_heads
from asi_arch.mixers.ops import softmax_attention


class Mixer(nn.Module):
    """Short convolution, rotary positions, causal attention."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size, activation=None)
        self.rotary = Rotary(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        q, k, v = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads).chunk(3, dim=2)
        q, k = self.rotary(q, k)
        return self.out(merge_heads(softmax_attention(q, k, v)))
