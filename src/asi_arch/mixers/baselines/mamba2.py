"""Mamba-2.

A state-space model in its dual form: linear attention whose memory fades by one data-dependent factor per head. The
same step size scales how much is forgotten and how much is written, so that a token can be passed over entirely. Keys
and queries are shared by the heads. After Dao & Gu 2024 (arXiv 2405.21060).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.mixers.nn import GatedRMSNorm, ShortConvolution, merge_heads, split_heads
from asi_arch.mixers.ops import scalar_decay


class Mixer(nn.Module):
    """Short convolution, selective state space with shared keys, skip, gated norm."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size)
        self.step = nn.Linear(hidden_size, num_heads)
        self.rate = nn.Parameter(torch.empty(num_heads).uniform_(1, 16).log())
        self.skip = nn.Parameter(torch.ones(num_heads, 1))
        self.gate = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = GatedRMSNorm(hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        step = torch.empty(num_heads).uniform_(math.log(1e-3), math.log(1e-1)).exp()
        with torch.no_grad():
            self.step.bias.copy_(step.expm1().log())

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        q, k, v = self.convolution(self.qkv(x)).chunk(3, dim=-1)
        q, k = (y.unsqueeze(2).expand(-1, -1, self.num_heads, -1) for y in (q, k))
        v = split_heads(v, self.num_heads)
        step = F.softplus(self.step(x))
        y = scalar_decay(q, k, v * step.unsqueeze(-1), -self.rate.exp() * step)
        return self.out(self.norm(merge_heads(y + self.skip * v), self.gate(x)))
