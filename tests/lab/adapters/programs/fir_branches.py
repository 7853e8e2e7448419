"""Delta rule beside two causal FIR branches; the chunked recurrence is written out and decorated for compilation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from einops import rearrange
from fla.layers.utils import get_unpad_data, index_first_axis, pad_input
from fla.modules import FusedRMSNormGated, RMSNorm, ShortConvolution
from fla.modules.l2norm import l2norm
from torch import nn

if TYPE_CHECKING:
    from fla.models.utils import Cache
    from transformers.processing_utils import Unpack


@torch.compile
def chunked_delta(q, k, v, beta, chunk: int = 16):
    """q, k, v [B, H, T, D], beta [B, H, T]; pads at the end, so that the past sees nothing of it."""
    length = q.shape[2]
    missing = -length % chunk
    q, k, v = (F.pad(x, (0, 0, 0, missing)) for x in (q, k, v))
    beta = F.pad(beta, (0, missing))
    q, k, v = (rearrange(x, "b h (n c) d -> b h n c d", c=chunk) for x in (q, k, v))
    beta = rearrange(beta, "b h (n c) -> b h n c 1", c=chunk)
    strict = torch.ones(chunk, chunk, device=q.device).tril(-1).to(q)
    system = torch.eye(chunk, device=q.device).to(q) + (beta * k @ k.mT) * strict
    values = torch.linalg.solve_triangular(system, beta * v, upper=False)
    keys = torch.linalg.solve_triangular(system, beta * k, upper=False)
    state = q.new_zeros(q.shape[0], q.shape[1], q.shape[-1], v.shape[-1])
    outputs = []
    for n in range(q.shape[2]):
        new = values[:, :, n] - keys[:, :, n] @ state
        outputs.append(q[:, :, n] @ state + (q[:, :, n] @ k[:, :, n].mT).tril() @ new)
        state = state + k[:, :, n].mT @ new
    return rearrange(torch.stack(outputs, 2), "b h n c d -> b h (n c) d")[:, :, :length], state


class CausalFIR(nn.Module):
    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        self.taps = taps
        self.filters = nn.Parameter(torch.randn(channels, taps) * 0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = F.pad(rearrange(x, "b t c -> b c t"), (self.taps - 1, 0))
        y = F.conv1d(padded, self.filters.unsqueeze(1), groups=x.shape[-1])
        return rearrange(y, "b c t -> b t c")


class DeltaNet(nn.Module):
    def __init__(
        self,
        mode: str = "chunk",
        d_model: int | None = None,
        hidden_size: int = 1024,
        expand_k: float = 1.0,
        expand_v: float = 1.0,
        num_heads: int = 4,
        use_beta: bool = True,
        use_gate: bool = False,
        use_short_conv: bool = True,
        conv_size: int = 4,
        conv_bias: bool = False,
        allow_neg_eigval: bool = False,
        layer_idx: int | None = None,
        qk_activation: str = "silu",
        qk_norm: str = "l2",
        norm_eps: float = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        hidden_size = hidden_size if d_model is None else d_model
        self.num_heads, self.layer_idx, self.use_gate = num_heads, layer_idx, use_gate
        key_dim, value_dim = int(hidden_size * expand_k), int(hidden_size * expand_v)
        self.q_proj = nn.Linear(hidden_size, key_dim, bias=False)
        self.k_proj = nn.Linear(hidden_size, key_dim, bias=False)
        self.v_proj = nn.Linear(hidden_size, value_dim, bias=False)
        self.b_proj = nn.Linear(hidden_size, num_heads, bias=False)
        self.q_conv1d = ShortConvolution(key_dim, kernel_size=conv_size, bias=conv_bias, activation="silu")
        self.k_conv1d = ShortConvolution(key_dim, kernel_size=conv_size, bias=conv_bias, activation="silu")
        self.v_conv1d = ShortConvolution(value_dim, kernel_size=conv_size, bias=conv_bias, activation="silu")
        self.local, self.wide = CausalFIR(value_dim, 3), CausalFIR(value_dim, 15)
        self.mix = nn.Parameter(torch.tensor([1.0, 0.1, 0.1]))
        if use_gate:
            self.g_proj = nn.Linear(hidden_size, value_dim, bias=False)
            self.o_norm = FusedRMSNormGated(value_dim // num_heads, eps=norm_eps)
        else:
            self.o_norm = RMSNorm(value_dim // num_heads, eps=norm_eps)
        self.o_proj = nn.Linear(value_dim, hidden_size, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = False,
        output_attentions: bool | None = False,
        **kwargs: Unpack[dict],
    ) -> tuple[torch.Tensor, None, Cache | None]:
        batch, length, _ = hidden_states.shape
        if attention_mask is not None:
            indices, *_ = get_unpad_data(attention_mask[:, -length:])
            hidden_states = index_first_axis(rearrange(hidden_states, "b s ... -> (b s) ..."), indices).unsqueeze(0)
        q, _ = self.q_conv1d(x=self.q_proj(hidden_states), cache=None, output_final_state=use_cache)
        k, _ = self.k_conv1d(x=self.k_proj(hidden_states), cache=None, output_final_state=use_cache)
        v, _ = self.v_conv1d(x=self.v_proj(hidden_states), cache=None, output_final_state=use_cache)
        beta = rearrange(self.b_proj(hidden_states).sigmoid(), "b t h -> b h t")
        heads = [rearrange(x, "b t (h d) -> b h t d", h=self.num_heads) for x in (q, k, v)]
        o, _ = chunked_delta(l2norm(heads[0]), l2norm(heads[1]), heads[2], beta)
        o = rearrange(o, "b h t d -> b t (h d)")
        o = self.mix[0] * o + self.mix[1] * self.local(v) + self.mix[2] * self.wide(v)
        o = rearrange(o, "b t (h d) -> b t h d", h=self.num_heads)
        if self.use_gate:
            o = self.o_norm(o, rearrange(self.g_proj(hidden_states), "b t (h d) -> b t h d", h=self.num_heads))
        else:
            o = self.o_norm(o)
        o = self.o_proj(rearrange(o, "b t h d -> b t (h d)"))
        if attention_mask is not None:
            o = pad_input(o.squeeze(0), indices, batch, length)
        return o, None, past_key_values
