"""Retention in its parallel form, with the recurrent form for generating."""

import math

import torch
from torch import Tensor, nn

from asi_arch.mixers.nn import merge_heads, split_heads
from asi_arch.mixers.ops import scalar_decay

_LOG_DECAY = -1 / 32


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        y = scalar_decay(q / 8, k, v, torch.full_like(q[..., 0], _LOG_DECAY))
        return self.out(merge_heads(y))

    def step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """[B, D] and a state [B, H, K, V], None at the start, -> [B, D] and the next state."""
        q, k, v = (part.unflatten(-1, (self.num_heads, -1)) for part in self.qkv(x_t).chunk(3, dim=-1))
        added = k.unsqueeze(-1) * v.unsqueeze(-2)
        state = added if state is None else math.exp(_LOG_DECAY) * state + added
        return self.out((q.unsqueeze(-2) / 8 @ state).flatten(1)), state
