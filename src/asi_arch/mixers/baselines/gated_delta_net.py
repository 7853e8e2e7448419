"""Gated DeltaNet.

The delta rule replaces one association at a time; a decay per head and token clears the whole memory when the context
changes. The two complement each other: precise edits and fast forgetting. An output gate lets each channel ignore what
was read. After Yang et al. 2024 (arXiv 2412.06464).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.mixers.nn import GatedRMSNorm, ShortConvolution, l2_norm, merge_heads, split_heads
from asi_arch.mixers.ops import gated_delta_rule


class Mixer(nn.Module):
    """Short convolution, unit keys, gated delta rule, gated norm."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size)
        self.beta = nn.Linear(hidden_size, num_heads, bias=False)
        self.step = nn.Linear(hidden_size, num_heads)
        self.rate = nn.Parameter(torch.empty(num_heads).uniform_(1, 16).log())
        self.gate = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = GatedRMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        step = torch.empty(num_heads).uniform_(math.log(1e-3), math.log(1e-1)).exp()
        nn.init.zeros_(self.step.weight)
        with torch.no_grad():
            self.step.bias.copy_(step.expm1().log())

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        heads = split_heads(self.convolution(self.qkv(x)), 3 * self.num_heads)
        qk, v = heads.split([2 * self.num_heads, self.num_heads], dim=2)
        q, k = l2_norm(qk).chunk(2, dim=2)
        log_decay = -self.rate.exp() * F.softplus(self.step(x))
        y = gated_delta_rule(q, k, v, self.beta(x).sigmoid(), log_decay)
        return self.out(merge_heads(self.norm(y, split_heads(self.gate(x), self.num_heads))))
