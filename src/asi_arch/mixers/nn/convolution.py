"""Causal depthwise convolution. Legend: B batch, T time, D channels, L kernel length."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast


class ShortConvolution(nn.Module):
    """y_t = sum_j weight_j x_{t - L + 1 + j} for each channel, then SiLU where asked. Sees the past only."""

    def __init__(self, channels: int, kernel_size: int = 4, activation: Literal["silu"] | None = "silu"):
        """`weight` is [D, L], its last column meeting the present token; drawn within 1 / sqrt(L)."""
        super().__init__()
        if activation not in ("silu", None):
            raise ValueError(f"activation must be 'silu' or None, got {activation!r}")
        self.weight = nn.Parameter(torch.empty(channels, kernel_size).uniform_(-1, 1) / kernel_size**0.5)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        return causal_convolution(x, self.weight, silu=self.activation == "silu")


def causal_convolution(x: Tensor, weight: Tensor, *, silu: bool = False) -> Tensor:
    """Each channel of x [B, T, D] with its own kernel, a row of `weight` [D, L], then SiLU where asked."""
    if is_fast():
        return _CausalConvolution.apply(x, weight, silu)
    channels, length = weight.shape
    y = F.conv1d(x.mT, weight.unsqueeze(1), padding=length - 1, groups=channels)[..., : x.shape[1]].mT
    return F.silu(y) if silu else y


class _CausalConvolution(torch.autograd.Function):
    """Convolution with time as the outer dimension throughout, as a two-dimensional one that is one pixel high."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, silu: bool) -> Tensor:
        y = _filter(x, weight)[:, : x.shape[1]]
        ctx.save_for_backward(x, weight, y if silu else None)
        return F.silu(y) if silu else y.contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, y = ctx.saved_tensors
        if y is not None:
            grad = torch.ops.aten.silu_backward(grad, y)
        grad_x = _filter(grad, weight.flip(-1))[:, weight.shape[1] - 1 :]
        return grad_x, _weight_gradient(x, grad, weight.shape[1]), None


def _filter(x: Tensor, weight: Tensor) -> Tensor:
    """Full correlation of [B, T, D] with [D, L]: [B, T + L - 1, D], laid out as the input is.

    In float64, which torch convolves on a CPU channel by channel, a sum over the taps is about ten times as fast.
    """
    channels, length = weight.shape
    if x.dtype is torch.float64 and x.device.type == "cpu":
        return _sum_of_taps(x, weight)
    image = x.mT.unsqueeze(2)
    y = F.conv2d(image, weight.view(channels, 1, 1, length), padding=(0, length - 1), groups=channels)
    return y.squeeze(2).mT


def _sum_of_taps(x: Tensor, weight: Tensor) -> Tensor:
    """`_filter`, tap by tap."""
    length, steps = weight.shape[1], x.shape[1] + weight.shape[1] - 1
    padded = F.pad(x, (0, 0, length - 1, length - 1))
    y = padded[:, :steps] * weight[:, 0]
    for tap in range(1, length):
        y.addcmul_(padded[:, tap : tap + steps], weight[:, tap])
    return y


def _weight_gradient(x: Tensor, grad: Tensor, length: int) -> Tensor:
    """sum_{b, t} grad_t x_{t - L + 1 + j}: [D, L]. One sample at a time, so that the sums stay in the cache."""
    batch, time, channels = grad.shape
    padded = torch.cat([x.new_zeros(batch, length - 1, channels), x], dim=1)
    strides = (padded.stride(0), padded.stride(1), padded.stride(1), padded.stride(2))
    shifted = padded.as_strided((batch, length, time, channels), strides)
    total = x.new_zeros(length, time, channels)
    for past, present in zip(shifted, grad, strict=True):
        total.addcmul_(past, present)
    return total.sum(1).mT
