"""Rotary position embedding (Su et al. 2021, arXiv 2104.09864)."""

import torch
from torch import Tensor, nn


class Rotary(nn.Module):
    """Turns the two halves of queries and keys by angles that grow with position, so that scores see distances."""

    def __init__(self, head_dim: int, base: float = 10_000.0):
        """`head_dim` must be even."""
        super().__init__()
        if head_dim % 2:
            raise ValueError(f"head_dim must be even, got {head_dim}")
        self.head_dim, self.base = head_dim, base

    def forward(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """Turn q and k [B, T, H, K]; position 0 is the first step of the input."""
        exponents = torch.arange(0, self.head_dim, 2, device=q.device, dtype=torch.float64) / self.head_dim
        positions = torch.arange(q.shape[1], device=q.device, dtype=torch.float64)
        angles = torch.outer(positions, self.base**-exponents).unsqueeze(1)
        cosine, sine = angles.cos().to(q.dtype), angles.sin().to(q.dtype)
        return _turn(q, cosine, sine), _turn(k, cosine, sine)


def _turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
