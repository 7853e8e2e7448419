"""The delta rule as a loop that indexes its chunks and writes them into the output in place."""

import torch
import torch.nn.functional as F
from einops import rearrange
from fla.modules import RMSNorm
from fla.modules.l2norm import l2norm
from torch import nn


@torch.compile
def delta_by_chunks(q, k, v, beta, size: int = 32):
    length = q.shape[2]
    padding = (0, 0, 0, -length % size)
    q, k, v = F.pad(q, padding), F.pad(k, padding), F.pad(v * beta[..., None], padding)
    k_beta = k * F.pad(beta, padding[2:])[..., None]
    q, k, v, k_beta = (rearrange(x, "b h (n c) d -> b h n c d", c=size) for x in (q, k, v, k_beta))
    upper = torch.triu(torch.ones(size, size, dtype=torch.bool, device=q.device), diagonal=0)
    inverse = -(k_beta @ k.transpose(-1, -2)).masked_fill(upper, 0)
    for row in range(1, size):
        known = inverse[..., row, :row].clone()
        update = (inverse[..., row, :, None].clone() * inverse[..., :, :row].clone()).sum(-2)
        inverse[..., row, :row] = known + update
    inverse = inverse + torch.eye(size, dtype=q.dtype, device=q.device)
    u, w = inverse @ v, inverse @ k_beta
    state = q.new_zeros(*q.shape[:2], q.shape[-1], v.shape[-1])
    o = torch.zeros_like(v)
    strictly_later = torch.triu(torch.ones(size, size, dtype=torch.bool, device=q.device), diagonal=1)
    for i in range(q.shape[2]):
        q_i, k_i = q[:, :, i], k[:, :, i]
        scores = (q_i @ k_i.transpose(-1, -2)).masked_fill_(strictly_later, 0)
        u_i = u[:, :, i] - w[:, :, i] @ state
        o[:, :, i] = q_i @ state + scores @ u_i
        state = state + k_i.transpose(-1, -2) @ u_i
    return rearrange(o, "b h n c d -> b h (n c) d")[:, :, :length], state


class DeltaNet(nn.Module):
    def __init__(self, hidden_size=1024, d_model=None, num_heads=4, norm_eps=1e-5, layer_idx=None, **kwargs):
        super().__init__()
        hidden_size = d_model or hidden_size
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.b_proj = nn.Linear(hidden_size, num_heads, bias=False)
        self.o_norm = RMSNorm(hidden_size // num_heads, eps=norm_eps)
        self.o_proj = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, hidden_states, attention_mask=None, past_key_values=None, use_cache=False, **kwargs):
        heads = self.qkv(hidden_states).chunk(3, dim=-1)
        q, k, v = (rearrange(x, "b t (h d) -> b h t d", h=self.num_heads) for x in heads)
        beta = rearrange(self.b_proj(hidden_states).sigmoid(), "b t h -> b h t")
        o, _ = delta_by_chunks(l2norm(q), l2norm(k), F.silu(v), beta)
        return self.o_proj(rearrange(self.o_norm(o), "b h t d -> b t (h d)")), None, past_key_values
