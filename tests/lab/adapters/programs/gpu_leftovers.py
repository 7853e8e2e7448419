"""Written for one GPU: devices, precisions and settings named where no cast shows them. Four outputs."""

import os  # noqa: F401  a leftover
import random
from enum import Enum

import torch
from fla.modules import FusedRMSNormGated, ShortConvolution
from fla.modules.activations import ACT2FN
from fla.ops.gla import fused_recurrent_gla
from torch import nn

try:
    import triton
except ImportError:
    triton = None

torch.backends.cuda.matmul.allow_tf32 = True
torch.set_float32_matmul_precision("high")
DTYPE = torch.bfloat16


class Path(Enum):
    MEMORY = 0
    LOCAL = 1


class GatedMemory(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_idx=None, dtype: torch.dtype = torch.bfloat16):
        super().__init__()
        self.heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False, dtype=DTYPE)
        self.conv = ShortConvolution(3 * hidden_size, 4)
        self.decay = nn.Linear(hidden_size, hidden_size, dtype=dtype)
        self.mix = nn.Parameter(torch.zeros(len(Path), device="cuda"))
        self.norm = FusedRMSNormGated(hidden_size // num_heads, activation="sigmoid")
        self.out = nn.Linear(hidden_size, hidden_size, bias=False).to(dtype)
        self.act = ACT2FN["sigmoid"]

    def forward(self, hidden_states, attention_mask=None, past_key_values=None, **kwargs):
        q, k, v = (
            y.unflatten(-1, (self.heads, -1)) for y in self.conv(self.qkv(hidden_states.to(DTYPE)))[0].chunk(3, -1)
        )
        gate = self.decay(hidden_states.to(self.decay.weight.dtype)).sigmoid().log().unflatten(-1, (self.heads, -1))
        with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=hidden_states.is_cuda):
            memory, _ = fused_recurrent_gla(q, k, v, gk=gate)
        age = torch.arange(v.shape[1], device="cuda").cuda().float().log1p().view(1, -1, 1, 1)
        if self.training and triton is None and random.random() < 0.1:
            memory = memory * 0.9
        w = self.mix.softmax(0)
        o = self.norm(w[Path.MEMORY.value] * memory + w[Path.LOCAL.value] * v / (1 + age), q)
        assert o.dtype in (torch.bfloat16, torch.float32, torch.float64)
        aux = 0.01 * (self.act(self.mix.float()) - 0.5).square().mean()
        return self.out(o.flatten(-2)), None, past_key_values, aux


DeltaNet = GatedMemory
