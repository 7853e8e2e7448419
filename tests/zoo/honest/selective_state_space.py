"""A state space with one step size for writing and forgetting, as in Mamba-2."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asi_arch.mixers.nn import merge_heads, split_heads
from asi_arch.mixers.ops import scalar_decay


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.step = nn.Linear(hidden_size, num_heads)
        self.rate = nn.Parameter(torch.zeros(num_heads))
        self.skip = nn.Parameter(torch.ones(num_heads, 1))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        step = F.softplus(self.step(x))
        y = scalar_decay(q / 8, k, v * step.unsqueeze(-1), -self.rate.exp() * step)
        return self.out(merge_heads(y + self.skip * v))
