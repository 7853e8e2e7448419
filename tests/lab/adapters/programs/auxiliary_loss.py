"""Heads are routed among three memories; the routing's negative entropy is the second output, a loss."""

import torch
import torch.nn as nn
from einops import rearrange
from fla.modules import RMSNorm
from fla.ops import chunk_linear_attn, chunk_simple_gla


class DeltaNet(nn.Module):
    def __init__(self, hidden_size: int = 512, num_heads: int = 4, entropy_weight: float = 0.01, **kwargs) -> None:
        super().__init__()
        self.num_heads, self.entropy_weight = num_heads, entropy_weight
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.decay = nn.Linear(hidden_size, num_heads)
        self.router = nn.Linear(hidden_size, 3 * num_heads)
        self.norm = RMSNorm(hidden_size // num_heads, elementwise_affine=False)
        self.o_proj = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, hidden_states, attention_mask=None, past_key_values=None, *args, **kwargs):
        q, k, v = (
            rearrange(x, "b t (h d) -> b t h d", h=self.num_heads) for x in self.qkv(hidden_states).chunk(3, dim=-1)
        )
        q, k = q.softmax(-1), k.softmax(-1)
        broad, _ = chunk_linear_attn(q, k, v, normalize=True)
        fading, _ = chunk_simple_gla(q, k, v, g=nn.functional.logsigmoid(self.decay(hidden_states) + 3.0))
        weights = rearrange(self.router(hidden_states), "b t (h p) -> b t h p", p=3).softmax(-1)
        o = torch.einsum("bthdp,bthp->bthd", torch.stack([broad, fading, v], dim=-1), weights)
        loss = self.entropy_weight * (weights * (weights + 1e-8).log()).sum(-1).mean()
        return self.o_proj(rearrange(self.norm(o), "b t h d -> b t (h d)")), loss, past_key_values
