"""A temperature that cools with a counter kept as a Python number, and a decay that is read with `.item()`."""

import torch
from einops import rearrange
from fla.modules import FusedRMSNormGated, ShortConvolution
from fla.ops.gated_delta_rule import chunk_gated_delta_rule
from torch import nn


class DeltaNet(nn.Module):
    def __init__(self, mode, hidden_size, num_heads, expand_v, norm_eps, layer_idx=None, warm=1000, **kwargs):
        super().__init__()
        self.num_heads, self.warm = num_heads, warm
        self._calls = 0
        value_dim = int(hidden_size * expand_v)
        self.register_buffer("coldest", torch.tensor(0.5))
        self.proj = nn.Linear(hidden_size, 2 * hidden_size + 2 * value_dim, bias=False)
        self.rates = nn.Linear(hidden_size, 2 * num_heads)
        self.sizes = [hidden_size, hidden_size, value_dim, value_dim]
        self.k_conv1d = ShortConvolution(hidden_size, 4, activation=None)
        self.o_norm = FusedRMSNormGated(value_dim // num_heads, eps=norm_eps)
        self.o_proj = nn.Linear(value_dim, hidden_size, bias=False)

    def temperature(self) -> float:
        progress = min(self._calls / self.warm, 1.0)
        return 1.0 + progress * (self.coldest.item() - 1.0)

    def forward(self, hidden_states, attention_mask, past_key_values=None, use_cache=False, output_attentions=False):
        q, k, v, gate = self.proj(hidden_states).split(self.sizes, dim=-1)
        k, _ = self.k_conv1d(k)
        beta, decay = self.rates(hidden_states).chunk(2, dim=-1)
        if self.training:
            self._calls = self._calls + 1
        q, k, v, gate = (rearrange(x, "b t (h d) -> b t h d", h=self.num_heads) for x in (q, k, v, gate))
        o, _ = chunk_gated_delta_rule(
            q=q / self.temperature(),
            k=k,
            v=v,
            g=torch.nn.functional.logsigmoid(decay + 4.0),
            beta=beta.sigmoid(),
            output_final_state=use_cache,
            use_qk_l2norm_in_kernel=True,
        )
        return self.o_proj(rearrange(self.o_norm(o, gate), "b t h d -> b t (h d)")), None, past_key_values
