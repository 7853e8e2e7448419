"""Channels to heads and back."""

from torch import Tensor


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """[B, T, D] -> [B, T, H, D / H]. Raises `ValueError` where heads do not divide the channels."""
    if x.shape[-1] % num_heads:
        raise ValueError(f"channels must be a multiple of heads, got {x.shape[-1]} channels and {num_heads} heads")
    return x.unflatten(-1, (num_heads, -1))


def merge_heads(x: Tensor) -> Tensor:
    """[B, T, H, K] -> [B, T, H * K]."""
    return x.flatten(-2)
