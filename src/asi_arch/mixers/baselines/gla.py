"""Gated linear attention.

Every key channel of the memory fades at its own rate, which each token sets through a narrow projection. Channels can
so specialise in short and long memories. The gates start close to 1 by a temperature of 16. After Yang et al. 2023
(arXiv 2312.06635).
"""

import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.mixers.nn import GatedRMSNorm, ShortConvolution, merge_heads, split_heads
from asi_arch.mixers.ops import vector_decay

_GATE_RANK = 16
_GATE_TEMPERATURE = 16.0


class Mixer(nn.Module):
    """Short convolution, linear attention with a decay per channel, gated norm."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.scale = (hidden_size // num_heads) ** -0.5
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size)
        self.decay = nn.Sequential(nn.Linear(hidden_size, _GATE_RANK, bias=False), nn.Linear(_GATE_RANK, hidden_size))
        self.gate = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = GatedRMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        heads = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads)
        q, k, v = heads.chunk(3, dim=2)
        log_decay = split_heads(F.logsigmoid(self.decay(x)) / _GATE_TEMPERATURE, self.num_heads)
        y = vector_decay(q * self.scale, k, v, log_decay)
        return self.out(merge_heads(self.norm(y, split_heads(self.gate(x), self.num_heads))))
