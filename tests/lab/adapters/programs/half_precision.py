"""Casts to bfloat16 wherever its author had a GPU in mind."""

import torch
from einops import rearrange
from fla.modules import RMSNorm, ShortConvolution
from fla.modules.l2norm import l2norm
from fla.ops.delta_rule import fused_recurrent_delta_rule
from torch import nn


class DeltaNet(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int = 0, dtype=torch.float32) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.b_proj = nn.Linear(hidden_size, num_heads, bias=False)
        self.conv = ShortConvolution(3 * hidden_size, 4, bias=True)
        self.norm = RMSNorm(hidden_size // num_heads)
        self.o_proj = nn.Linear(hidden_size, hidden_size, bias=False, dtype=dtype)

    def forward(self, hidden_states: torch.Tensor, attention_mask=None, past_key_values=None, **kwargs):
        qkv, _ = self.conv(self.qkv(hidden_states).to(torch.bfloat16))
        q, k, v = (rearrange(x, "b t (h d) -> b t h d", h=self.num_heads) for x in qkv.bfloat16().chunk(3, dim=-1))
        steps = torch.arange(1, q.shape[1] + 1, device=q.device, dtype=torch.bfloat16)
        v = v / (1.0 + steps.log()[None, :, None, None])
        beta = self.b_proj(hidden_states).sigmoid().to(dtype=torch.bfloat16)
        o, _ = fused_recurrent_delta_rule(l2norm(q), l2norm(k), v, beta)
        return self.o_proj(rearrange(self.norm(o), "b t h d -> b t (h d)")), None, past_key_values
