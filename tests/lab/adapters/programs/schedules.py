"""Three ways to move a schedule on: a part's own count, a factor, and a buffer that is stored nowhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
from fla.modules import RMSNorm

if TYPE_CHECKING:
    from fla.models.utils import Cache
    from transformers.processing_utils import Unpack


class Router(nn.Module):
    def __init__(self, hidden_size: int, heads: int, paths: int) -> None:
        super().__init__()
        self.heads, self.paths = heads, paths
        self.paths += 1
        self.logits = nn.Linear(hidden_size, heads * self.paths)
        self.logits.bias.data.mul_(0.5)
        self.calls = 0

    def forward(self, x, temperature, floor):
        z = rearrange(self.logits(x), "b t (h p) -> b t h p", p=self.paths) / temperature
        return F.softmax(z, dim=-1) * (1 - self.paths * floor) + floor


class DeltaNet(nn.Module):
    def __init__(self, hidden_size=1024, num_heads=4, layer_idx=None, floor=0.04, floor_decay=0.9, **kwargs):
        super().__init__()
        self.v_proj = nn.Linear(hidden_size, hidden_size, bias=False)
        self.router = Router(hidden_size, num_heads, 1)
        self.heads, self.floor, self.floor_decay = num_heads, floor, floor_decay
        self.register_buffer("_step", torch.zeros(1, dtype=torch.long), persistent=False)
        self.norm = RMSNorm(hidden_size // num_heads)
        self.o_proj = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Unpack[dict],
    ):
        v = rearrange(self.v_proj(hidden_states), "b t (h d) -> b t h d", h=self.heads)
        temperature = 1.0 + math.exp(-self._step.item() / 3) + 1.0 / (1 + self.router.calls)
        w = self.router(hidden_states, temperature, self.floor)
        mean = v.cumsum(1) / torch.arange(1, v.shape[1] + 1, device=v.device, dtype=v.dtype).view(1, -1, 1, 1)
        if self.training:
            self.router.calls += 1
            self.floor = max(0.01, self.floor * self.floor_decay)
            with torch.no_grad():
                self._step[0] += 1
        o = self.norm(w[..., :1] * v + w[..., 1:] * mean)
        return self.o_proj(rearrange(o, "b t h d -> b t (h d)")), None, past_key_values
