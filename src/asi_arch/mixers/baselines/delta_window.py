"""DeltaNet with a sliding window.

Two memories side by side on the same queries, keys and values: the delta rule holds associations over any distance in
a state of fixed size, and exact softmax attention sees the last 32 tokens. A gate per head and token chooses between
them. The window takes care of the local structure, so that the state is free for what lies further back. After Arora
et al. 2024 (arXiv 2402.18668) and Yang et al. 2024 (arXiv 2406.06484).
"""

from torch import Tensor, nn

from asi_arch.mixers.nn import RMSNorm, Rotary, ShortConvolution, l2_norm, merge_heads, split_heads
from asi_arch.mixers.ops import delta_rule, sliding_window_attention

_WINDOW = 32


class Mixer(nn.Module):
    """Short convolution, delta rule and window attention in parallel, gate per head."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size)
        self.rotary = Rotary(hidden_size // num_heads)
        self.beta = nn.Linear(hidden_size, num_heads, bias=False)
        self.choice = nn.Linear(hidden_size, num_heads)
        self.far_norm = RMSNorm(hidden_size // num_heads)
        self.near_norm = RMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        heads = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads)
        qk, v = heads.split([2 * self.num_heads, self.num_heads], dim=2)
        q, k = self.rotary(*qk.chunk(2, dim=2))
        near = self.near_norm(sliding_window_attention(q, k, v, window=_WINDOW))
        q, k = l2_norm(qk).chunk(2, dim=2)
        far = self.far_norm(delta_rule(q, k, v, self.beta(x).sigmoid()))
        return self.out(merge_heads(far.lerp(near, self.choice(x).sigmoid().unsqueeze(-1))))
