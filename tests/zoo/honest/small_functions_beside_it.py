"""Small functions, constants and a data class beside the mixer."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCALES = (0.5, 2.0**-1.5, math.log(2.0))


@dataclass(frozen=True)
class Settings:
    """How far back each look goes."""

    lags: tuple[int, ...] = (1, 2, 5)


def delayed(v: Tensor, lag: int) -> Tensor:
    """[B, T, D], `lag` steps later."""
    return F.pad(v, (0, 0, lag, 0))[:, : v.shape[1]]


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.settings = Settings()
        self.scale = nn.Parameter(torch.tensor(SCALES[0]))

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        for lag in self.settings.lags:
            v = v + self.scale * delayed(v, lag)
        return self.out(v)
