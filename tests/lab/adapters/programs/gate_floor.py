"""Two paths behind a softmax gate with a floor that falls with a step counter kept in a buffer."""

from __future__ import annotations

import math

import torch
from einops import rearrange, repeat
from fla.modules import RMSNorm, ShortConvolution
from fla.modules.l2norm import l2norm
from fla.ops.delta_rule import chunk_delta_rule
from torch import nn


class PathGate(nn.Module):
    def __init__(self, hidden_size: int, paths: int, floor: float = 0.08, decay_steps: int = 2000) -> None:
        super().__init__()
        self.floor, self.decay_steps, self.paths = floor, decay_steps, paths
        self.logits = nn.Linear(hidden_size, paths)
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def current_floor(self) -> float:
        return self.floor * math.exp(-float(self.step.item()) / self.decay_steps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.step += 1
        floor = self.current_floor()
        weights = self.logits(x).softmax(dim=-1)
        return floor + (1.0 - self.paths * floor) * weights


class DeltaNet(nn.Module):
    def __init__(self, *, mode: str = "gated", d_model=None, hidden_size=1024, num_heads=4, conv_size=4, **kwargs):
        super().__init__()
        hidden_size = d_model or hidden_size
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.b_proj = nn.Linear(hidden_size, num_heads)
        self.conv = ShortConvolution(hidden_size=3 * hidden_size, kernel_size=conv_size, activation="silu")
        self.gate = PathGate(hidden_size, paths=2)
        self.temperature = nn.Parameter(torch.zeros(num_heads))
        self.o_norm = RMSNorm(hidden_size // num_heads)
        self.o_proj = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, hidden_states, attention_mask=None, past_key_values=None, use_cache=False, **kwargs):
        mixed, _ = self.conv(self.qkv(hidden_states))
        q, k, v = (rearrange(x, "b t (h d) -> b t h d", h=self.num_heads) for x in mixed.chunk(3, dim=-1))
        q = l2norm(q) * repeat(self.temperature.exp(), "h -> 1 1 h 1")
        o, _ = chunk_delta_rule(q, l2norm(k), v, self.b_proj(hidden_states).sigmoid())
        gate = rearrange(self.gate(hidden_states), "b t p -> b t 1 1 p")
        o = self.o_norm((torch.stack((o, v), dim=-1) * gate).sum(-1))
        return self.o_proj(rearrange(o, "b t h d -> b t (h d)")), None, past_key_values
