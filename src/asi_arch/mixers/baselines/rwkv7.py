"""RWKV-7.

A generalised delta rule: the memory fades at a rate per channel, and what it holds under a removal key is taken out at
a rate per channel too, both chosen by the token. The key that is written differs from the key that is removed. A bonus
lets the present token be read directly. The short convolution takes the place of RWKV's token shift. After Peng et al.
2025 (arXiv 2503.14456).
"""

import torch
from torch import Tensor, nn

from asi_arch.mixers.nn import RMSNorm, ShortConvolution, l2_norm, merge_heads, split_heads
from asi_arch.mixers.ops import rwkv7

_RANK = 16
_FASTEST = -0.606531  # the log decay never falls below -exp(-1/2)


class Mixer(nn.Module):
    """Short convolution, diagonal plus rank one memory, bonus, gate."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.rkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size, activation=None)
        self.decay = _low_rank(hidden_size, nn.Tanh())
        self.decay_bias = nn.Parameter(torch.linspace(-6, 1, hidden_size))
        self.removal = _low_rank(hidden_size, nn.Identity())
        self.removal_bias = nn.Parameter(torch.zeros(hidden_size))
        self.gate = _low_rank(hidden_size, nn.Sigmoid())
        self.removal_key = nn.Parameter(torch.ones(num_heads, hidden_size // num_heads))
        self.mixing = nn.Parameter(torch.ones(num_heads, hidden_size // num_heads))
        self.bonus = nn.Parameter(torch.zeros(num_heads, hidden_size // num_heads))
        self.norm = RMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        r, k, v = split_heads(self.convolution(self.rkv(x)), 3 * self.num_heads).chunk(3, dim=2)
        log_decay = _FASTEST * split_heads((self.decay(x) + self.decay_bias).sigmoid(), self.num_heads)
        rate = split_heads((self.removal(x) + self.removal_bias).sigmoid(), self.num_heads)
        removed = l2_norm(k * self.removal_key)
        k = k * (1 + (rate - 1) * self.mixing)
        y = self.norm(rwkv7(r, log_decay, k, v, -removed, removed * rate))
        y = y + (r * k * self.bonus).sum(-1, keepdim=True) * v
        return self.out(merge_heads(y) * self.gate(x))


def _low_rank(width: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, _RANK, bias=False), activation, nn.Linear(_RANK, width, bias=False))
