"""Normalisation over the last dimension, with backward passes of a few fused passes each."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last dimension     (Zhang & Sennrich 2019, arXiv 1910.07467)."""

    def __init__(self, dim: int, eps: float = 1e-5):
        """`eps` is added to the mean square."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Any shape [..., dim]."""
        if is_fast():
            return _RMSNorm.apply(x, self.weight, self.eps)
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt() * self.weight


class GatedRMSNorm(nn.Module):
    """rmsnorm(x) * silu(gate), the output stage of Mamba-2 and Gated DeltaNet."""

    def __init__(self, dim: int, eps: float = 1e-5):
        """`eps` is added to the mean square."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        """Both [..., dim]."""
        if is_fast():
            return _GatedRMSNorm.apply(x, gate, self.weight, self.eps)
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt() * self.weight * F.silu(gate)


def l2_norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    """Unit length: x / sqrt(|x|^2 + eps) over the last dimension; smooth at 0."""
    if is_fast():
        return _L2Norm.apply(x, eps)
    return x * (x.square().sum(-1, keepdim=True) + eps).rsqrt()


def _inverse_rms(x: Tensor, eps: float) -> Tensor:
    return torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(eps).rsqrt_()


def _normaliser_backward(grad: Tensor, normal: Tensor, inverse: Tensor, mean: Tensor) -> Tensor:
    """Gradient of x from that of `normal` = x * `inverse`; `mean` is the weight of the part along `normal`.

    `grad` is overwritten.
    """
    return grad.addcmul_(normal, mean, value=-1.0).mul_(inverse)


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        inverse = _inverse_rms(x, eps)
        normal = x * inverse
        ctx.save_for_backward(normal, inverse, weight)
        return normal * weight

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        normal, inverse, weight = ctx.saved_tensors
        product = grad * normal
        mean = (product @ weight).div_(weight.shape[0]).unsqueeze(-1)
        grad_x = _normaliser_backward(grad * weight, normal, inverse, mean)
        return grad_x, product.flatten(0, -2).sum(0), None


class _GatedRMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, gate: Tensor, weight: Tensor, eps: float) -> Tensor:
        inverse = _inverse_rms(x, eps)
        normal = x * inverse
        ctx.save_for_backward(normal, inverse, gate, weight)
        return F.silu(gate).mul_(normal).mul_(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        normal, inverse, gate, weight = ctx.saved_tensors
        product = grad * normal
        grad_gate = torch.ops.aten.silu_backward(product * weight, gate)
        opened = F.silu(gate)
        product *= opened
        mean = (product @ weight).div_(weight.shape[0]).unsqueeze(-1)
        grad_x = _normaliser_backward(opened.mul_(grad).mul_(weight), normal, inverse, mean)
        return grad_x, grad_gate, product.flatten(0, -2).sum(0), None


class _L2Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        inverse = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().add_(eps).rsqrt_()
        normal = x * inverse
        ctx.save_for_backward(normal, inverse)
        return normal

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        normal, inverse = ctx.saved_tensors
        along = (grad * normal).sum(-1, keepdim=True)
        return torch.addcmul(grad, normal, along, value=-1.0).mul_(inverse), None
