"""Building blocks: `fla.modules`. Legend: B batch, T time, D channels, L kernel length."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.mixers import nn as blocks
from asi_arch.mixers.nn.convolution import causal_convolution

_SILU = ("silu", "swish")


class RMSNorm(blocks.RMSNorm):
    """x / rms(x) over the last dimension, times a gain and plus a bias where asked."""

    def __init__(
        self,
        hidden_size: int,
        elementwise_affine: bool = True,
        bias: bool = False,
        eps: float = 1e-5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(hidden_size, eps)
        self.hidden_size = hidden_size
        self.elementwise_affine = elementwise_affine
        self.bias = nn.Parameter(torch.zeros(hidden_size)) if bias and elementwise_affine else None
        if not elementwise_affine:
            self.register_parameter("weight", None)
        self.to(device=device, dtype=dtype)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  the interface is fla's
        self, x: Tensor, residual: Tensor | None = None, prenorm: bool = False, residual_in_fp32: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """[..., D], of x + residual; with `prenorm` also that sum."""
        total = x if residual is None else x + residual
        y = super().forward(total) if self.elementwise_affine else _rms_normal(total, self.eps)
        y = y if self.bias is None else y + self.bias
        return (y, total) if prenorm else y


class LayerNorm(nn.LayerNorm):
    """Mean zero and variance one over the last dimension."""

    def __init__(self, hidden_size: int, elementwise_affine: bool = True, bias: bool = False, eps: float = 1e-5):
        super().__init__(hidden_size, eps=eps, elementwise_affine=elementwise_affine, bias=bias)
        self.hidden_size = hidden_size


class GroupNorm(nn.Module):
    """Every group of channels of a step has mean zero and variance one, or root mean square one (`is_rms_norm`)."""

    def __init__(
        self,
        num_groups: int,
        hidden_size: int,
        elementwise_affine: bool = True,
        bias: bool = False,
        eps: float = 1e-5,
        is_rms_norm: bool = False,
    ) -> None:
        super().__init__()
        if hidden_size % num_groups:
            raise ValueError(f"hidden_size {hidden_size} must be a multiple of num_groups {num_groups}")
        self.num_groups, self.hidden_size, self.eps, self.is_rms_norm = num_groups, hidden_size, eps, is_rms_norm
        self.weight = nn.Parameter(torch.ones(hidden_size)) if elementwise_affine else None
        self.bias = nn.Parameter(torch.zeros(hidden_size)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        """[..., D]."""
        groups = x.unflatten(-1, (self.num_groups, -1))
        if self.is_rms_norm:
            y = _rms_normal(groups, self.eps).flatten(-2)
        else:
            y = F.layer_norm(groups, groups.shape[-1:], eps=self.eps).flatten(-2)
        y = y if self.weight is None else y * self.weight
        return y if self.bias is None else y + self.bias


class FusedRMSNormGated(blocks.GatedRMSNorm):
    """rmsnorm(x) * activation(gate)."""

    def __init__(
        self,
        hidden_size: int,
        elementwise_affine: bool = True,
        eps: float = 1e-5,
        activation: str = "swish",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(hidden_size, eps)
        _check_gate(activation)
        self.hidden_size = hidden_size
        self.elementwise_affine = elementwise_affine
        self.activation = activation
        if not elementwise_affine:
            self.register_parameter("weight", None)
        self.to(device=device, dtype=dtype)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  the interface is fla's
        self,
        x: Tensor,
        g: Tensor,
        residual: Tensor | None = None,
        prenorm: bool = False,
        residual_in_fp32: bool = False,
    ) -> Tensor | tuple[Tensor, ...]:
        """All [..., D], of x + residual; with `prenorm` also that sum."""
        total = x if residual is None else x + residual
        y = self._gated(total, g)
        return (y, total) if prenorm else y

    def _gated(self, x: Tensor, g: Tensor) -> Tensor:
        if self.elementwise_affine and self.activation in _SILU:
            return super().forward(x, g)
        normal = _rms_normal(x, self.eps)
        return (normal * self.weight if self.elementwise_affine else normal) * _opened(g, self.activation)


class FusedLayerNormGated(LayerNorm):
    """layernorm(x) * activation(gate)."""

    def __init__(
        self,
        hidden_size: int,
        elementwise_affine: bool = True,
        bias: bool = False,
        activation: str = "swish",
        eps: float = 1e-5,
    ) -> None:
        super().__init__(hidden_size, elementwise_affine, bias, eps)
        _check_gate(activation)
        self.activation = activation

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  the interface is fla's
        self, x: Tensor, g: Tensor
    ) -> Tensor:
        """Both [..., D]."""
        return super().forward(x) * _opened(g, self.activation)


class ShortConvolution(nn.Conv1d):
    """Causal depthwise convolution; `weight` is [D, 1, L]. Returns its state as well."""

    def __init__(
        self,
        hidden_size: int,
        kernel_size: int = 4,
        bias: bool = False,
        activation: str | None = "silu",
        backend: str | None = "triton",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **_: object,
    ) -> None:
        if activation not in (*_SILU, None):
            raise ValueError(f"activation must be 'silu', 'swish' or None, got {activation!r}")
        super().__init__(
            hidden_size,
            hidden_size,
            kernel_size,
            groups=hidden_size,
            bias=bias,
            padding=kernel_size - 1,
            device=device,
            dtype=dtype,
        )
        self.hidden_size = hidden_size
        self.activation = activation

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  the interface is fla's
        self,
        x: Tensor,
        residual: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Tensor | None = None,
        output_final_state: bool = False,
        cu_seqlens: Tensor | None = None,
        **_: object,
    ) -> tuple[Tensor, Tensor | None]:
        """[B, T, D] -> [B, T, D] and, where asked, the last inputs [B, D, L], which `cache` takes up again.

        `cu_seqlens` [N + 1] are the places where N rows begin that are packed into one; there is a state for each.
        """
        if cu_seqlens is not None:
            y, state = self._packed(x, cache, output_final_state, cu_seqlens.tolist())
            return (y if residual is None else y + residual), state
        x = x.flatten(2) if mask is None else x.flatten(2) * mask.unsqueeze(-1)
        length = self.kernel_size[0]
        past = x.new_zeros(x.shape[0], length, x.shape[2]) if cache is None else cache.mT.to(x)
        state = torch.cat([past, x], dim=1)[:, -length:].mT if output_final_state else None
        y = self._convolved(x if cache is None else torch.cat([past, x], dim=1))[:, -x.shape[1] :]
        return (y if residual is None else y + residual), state

    def _packed(
        self, x: Tensor, cache: Tensor | None, output_final_state: bool, edges: list[int]
    ) -> tuple[Tensor, Tensor | None]:
        if x.shape[0] != 1:
            raise ValueError(f"with cu_seqlens all rows must be packed into one, got {x.shape[0]}")
        found = [
            self.forward(
                x[:, begin:end],
                cache=None if cache is None else cache[row : row + 1],
                output_final_state=output_final_state,
            )
            for row, (begin, end) in enumerate(pairwise(edges))
        ]
        states = [state for _, state in found if state is not None]
        return torch.cat([y for y, _ in found], dim=1), torch.cat(states) if states else None

    def _convolved(self, x: Tensor) -> Tensor:
        is_plain = self.bias is None
        y = causal_convolution(x, self.weight.squeeze(1), silu=is_plain and self.activation is not None)
        if self.bias is None:
            return y
        y = y + self.bias
        return y if self.activation is None else F.silu(y)


class L2Norm(nn.Module):
    """Unit length over the last dimension."""

    def __init__(self, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Any shape [..., D]."""
        return l2norm(x, self.eps)


def l2norm(x: Tensor, eps: float = 1e-6, output_dtype: torch.dtype | None = None) -> Tensor:
    """Unit length: x / sqrt(|x|^2 + eps) over the last dimension."""
    y = blocks.l2_norm(x, eps)
    return y if output_dtype is None else y.to(output_dtype)


class LongConvolution(nn.Module):
    """Causal convolution with a filter as long as the longest input, and the input itself added."""

    def __init__(self, hidden_size: int, max_len: int, **_: object) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.filter = nn.Parameter(torch.randn(hidden_size, max_len))

    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        """[B, T, D] for T up to `max_len`; zeros are put behind, so that nothing comes round from the end."""
        length = x.shape[1]
        size = 2 * max(length, self.filter.shape[1])
        full = x.to(torch.promote_types(x.dtype, torch.float32))
        spectrum = torch.fft.rfft(full, n=size, dim=1) * torch.fft.rfft(self.filter.to(full), n=size).mT
        return (torch.fft.irfft(spectrum, n=size, dim=1)[:, :length] + full).to(x.dtype)


class RotaryEmbedding(nn.Module):
    """Turns pairs of channels by angles that grow with position     (Su et al. 2021, arXiv 2104.09864)."""

    def __init__(self, dim: int, base: float = 10_000.0, interleaved: bool = False, **_: object) -> None:
        super().__init__()
        if interleaved:
            raise ValueError("interleaved must be False: pairs are one channel of each half here")
        self.dim, self.base = dim, base
        self._rotary = blocks.Rotary(dim, base)

    def forward(
        self, q: Tensor, k: Tensor, seqlen_offset: int = 0, cu_seqlens: Tensor | None = None, **_: object
    ) -> tuple[Tensor, Tensor]:
        """Turn the first `dim` channels of q and k [B, T, H, K]. Raises `ValueError` for rows that begin elsewhere."""
        if seqlen_offset or cu_seqlens is not None:
            raise ValueError("seqlen_offset must be 0 and cu_seqlens None: whole sequences come as rows of a batch")
        rest = (q[..., self.dim :], k[..., self.dim :])
        turned = self._rotary(q[..., : self.dim], k[..., : self.dim])
        return torch.cat([turned[0], rest[0]], dim=-1), torch.cat([turned[1], rest[1]], dim=-1)


def _check_gate(activation: str) -> None:
    if activation not in (*_SILU, "sigmoid"):
        raise ValueError(f"activation must be 'swish', 'silu' or 'sigmoid', got {activation!r}")


def _opened(gate: Tensor, activation: str) -> Tensor:
    return F.silu(gate) if activation in _SILU else gate.sigmoid()


def _rms_normal(x: Tensor, eps: float) -> Tensor:
    return x * (x.square().mean(-1, keepdim=True) + eps).rsqrt()
