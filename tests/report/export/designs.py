"""Programs with what an export must cope with."""

from asi_arch.domain.candidate import Adapter

RECURRENT = '''"""A decaying average with `step`, a state of two parts, and an auxiliary loss."""

import torch
from torch import nn

from asi_arch.mixers.nn import RMSNorm


class Mixer(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.decay = nn.Linear(hidden_size, hidden_size)
        self.norm = RMSNorm(hidden_size)

    def forward(self, x):
        state, outputs = None, []
        for x_t in x.unbind(1):
            y_t, state = self.step(x_t, state)
            outputs.append(y_t)
        return torch.stack(outputs, 1), self.value.weight.square().mean()

    def step(self, x_t, state):
        memory, count = state if state is not None else (torch.zeros_like(x_t), 0)
        keep = self.decay(x_t).sigmoid()
        memory = keep * memory + (1 - keep) * self.value(x_t)
        return self.norm(memory) / (1 + count) ** 0.1, (memory, count + 1)
'''

BUFFERS = '''"""Buffers of numbers and flags, one that is no part of the weights, and a constructor that computes."""

import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.register_buffer("order", torch.randperm(hidden_size))
        self.register_buffer("is_kept", torch.arange(hidden_size) % 3 > 0)
        self.register_buffer("scale", torch.rand(hidden_size) + 0.5, persistent=False)
        self.share = float(torch.linspace(0, 1, 5)[2].item())
        self.weight = nn.Parameter(torch.full((hidden_size,), self.scale.mean().item()))

    def forward(self, x):
        y = torch.where(self.is_kept, x[..., self.order], -x) * self.scale * self.weight
        return self.share * y.cumsum(1) / torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)[:, None]
'''

FLA = '''"""A layer for flash-linear-attention, with its modules, a feature map, an operator and half precision."""

import torch
from einops import rearrange
from fla.modules import RMSNorm, ShortConvolution
from fla.modules.feature_map import DPFPFeatureMap
from fla.ops.delta_rule import chunk_delta_rule
from torch import nn


class DeltaNet(nn.Module):
    def __init__(self, hidden_size=64, num_heads=2, layer_idx=None, **kwargs):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.conv = ShortConvolution(hidden_size, kernel_size=4, activation="silu")
        self.beta = nn.Linear(hidden_size, num_heads)
        self.features = DPFPFeatureMap(hidden_size // num_heads)
        self.norm = RMSNorm(hidden_size // num_heads)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.register_buffer("passes", torch.zeros((), dtype=torch.long), persistent=False)

    @torch.compile
    def forward(self, hidden_states, attention_mask=None, past_key_values=None, **kwargs):
        self.passes += 1
        q, k, v = self.qkv(hidden_states).chunk(3, dim=-1)
        v, _ = self.conv(v)
        q, k, v = (rearrange(x, "b t (h d) -> b t h d", h=self.num_heads) for x in (q, k, v))
        k = torch.nn.functional.normalize(k, dim=-1).to(torch.bfloat16)
        beta = self.beta(hidden_states).sigmoid()
        y, _ = chunk_delta_rule(q, k, v, beta, use_qk_l2norm_in_kernel=False)
        y = self.norm(y) + v.sigmoid() * self.features(v).mean(-1, keepdim=True)
        return self.out(rearrange(y, "b t h d -> b t (h d)")), None, past_key_values
'''


def adapter_of(source: str) -> Adapter:
    """For which interface it was written."""
    return Adapter.FLA if source == FLA else Adapter.MIXER
