"""Cutting time into chunks. Legend: `shapes.py`.

The chunk length is the same whatever T is, and padding comes after the sequence, so that an output never depends on
how long the input was.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 32
"""Steps in a chunk."""


def split(x: Tensor, size: int = CHUNK) -> Tensor:
    """[B, T, H, ...] -> [N, B * H, C, ...], padded with zeros at the end of time."""
    batch, time, heads, *rest = x.shape
    padding = -time % size
    if padding:
        x = F.pad(x, (0, 0) * (x.dim() - 2) + (0, padding))
    chunks = (time + padding) // size
    x = x.reshape(batch, chunks, size, heads, *rest).transpose(0, 1).transpose(2, 3)
    return x.reshape(chunks, batch * heads, size, *rest)


def merge(x: Tensor, shape: torch.Size) -> Tensor:
    """[N, B * H, C, V] -> [B, T, H, V], where `shape` gives B, T and H."""
    batch, time, heads = shape[:3]
    chunks, _, size, width = x.shape
    x = x.view(chunks, batch, heads, size, width).permute(1, 0, 3, 2, 4).reshape(batch, chunks * size, heads, width)
    return x[:, :time] if chunks * size != time else x


def decay_between(cumulative: Tensor) -> Tensor:
    """exp(G_i - G_j) for j <= i and 0 elsewhere: [..., C] -> [..., C, C], never above 1 for gates <= 0."""
    size = cumulative.shape[-1]
    future = torch.ones(size, size, dtype=torch.bool, device=cumulative.device).triu(1)
    difference = cumulative.unsqueeze(-1) - cumulative.unsqueeze(-2)
    return difference.masked_fill(future, -torch.inf).exp()
