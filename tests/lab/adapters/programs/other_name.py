"""A layer that is not called DeltaNet, with an import that it can do without and an attention mask that it ignores."""

import torch
from torch import nn

try:
    from fla.ops.generalized_delta_rule import chunk_dplr_delta_rule
except ImportError:
    chunk_dplr_delta_rule = None

from fla.modules import L2Norm
from fla.ops.gla import chunk_gla


class Feature(nn.Module):
    def forward(self, x):
        return nn.functional.elu(x) + 1


class FadingMemory(nn.Module):
    def __init__(self, d_model: int, n_heads: int, **kwargs) -> None:
        super().__init__()
        self.n_heads, self.feature, self.unit = n_heads, Feature(), L2Norm()
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.gate = nn.Linear(d_model, d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, hidden_states, **kwargs):
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)) for x in self.qkv(hidden_states).chunk(3, dim=-1))
        fade = nn.functional.logsigmoid(self.gate(hidden_states)).unflatten(-1, (self.n_heads, -1)) / 16
        o, _ = chunk_gla(self.unit(self.feature(q)), self.unit(self.feature(k)), v, fade)
        return self.out(torch.flatten(o, -2))
