"""Building blocks: `fla.modules`. Legend: B batch, T time, D channels, L kernel length."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.mixers import nn as blocks
from asi_arch.mixers.nn.convolution import causal_convolution

_SILU = ("silu", "swish")


class RMSNorm(blocks.RMSNorm):
    """x / rms(x) over the last dimension, times a gain and plus a bias where asked."""

    def __init__(self, hidden_size: int, elementwise_affine: bool = True, bias: bool = False, eps: float = 1e-5):
        super().__init__(hidden_size, eps)
        self.hidden_size = hidden_size
        self.elementwise_affine = elementwise_affine
        self.bias = nn.Parameter(torch.zeros(hidden_size)) if bias and elementwise_affine else None
        if not elementwise_affine:
            self.register_parameter("weight", None)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  the interface is fla's
        self, x: Tensor, residual: Tensor | None = None, prenorm: bool = False
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


class FusedRMSNormGated(blocks.GatedRMSNorm):
    """rmsnorm(x) * activation(gate)."""

    def __init__(
        self, hidden_size: int, elementwise_affine: bool = True, eps: float = 1e-5, activation: str = "swish"
    ) -> None:
        super().__init__(hidden_size, eps)
        if activation not in (*_SILU, "sigmoid"):
            raise ValueError(f"activation must be 'swish', 'silu' or 'sigmoid', got {activation!r}")
        self.hidden_size = hidden_size
        self.elementwise_affine = elementwise_affine
        self.activation = activation
        if not elementwise_affine:
            self.register_parameter("weight", None)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  the interface is fla's
        self, x: Tensor, g: Tensor
    ) -> Tensor:
        """Both [..., D]."""
        if self.elementwise_affine and self.activation in _SILU:
            return super().forward(x, g)
        normal = _rms_normal(x, self.eps)
        gate = F.silu(g) if self.activation in _SILU else g.sigmoid()
        return normal * self.weight * gate if self.elementwise_affine else normal * gate


class ShortConvolution(nn.Conv1d):
    """Causal depthwise convolution; `weight` is [D, 1, L]. Returns its state as well."""

    def __init__(
        self, hidden_size: int, kernel_size: int = 4, bias: bool = False, activation: str | None = "silu", **_: object
    ) -> None:
        if activation not in (*_SILU, None):
            raise ValueError(f"activation must be 'silu', 'swish' or None, got {activation!r}")
        super().__init__(hidden_size, hidden_size, kernel_size, groups=hidden_size, bias=bias, padding=kernel_size - 1)
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

        Raises `ValueError` for sequences packed into one row.
        """
        if cu_seqlens is not None:
            raise ValueError("cu_seqlens must be None: sequences come as rows of a batch here")
        x = x if mask is None else x * mask.unsqueeze(-1)
        length = self.kernel_size[0]
        past = x.new_zeros(x.shape[0], length, x.shape[2]) if cache is None else cache.mT.to(x)
        state = torch.cat([past, x], dim=1)[:, -length:].mT if output_final_state else None
        y = self._convolved(x if cache is None else torch.cat([past, x], dim=1))[:, -x.shape[1] :]
        return (y if residual is None else y + residual), state

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


def _rms_normal(x: Tensor, eps: float) -> Tensor:
    return x * (x.square().mean(-1, keepdim=True) + eps).rsqrt()
