"""Dilated branches whose constants, helpers and fallbacks are written at the level of the module."""

import functools
from dataclasses import dataclass, field
from math import sqrt

import torch
from torch import nn
from torch.nn import functional as F

try:
    from einops import rearrange
except ImportError:
    rearrange = None

DILATIONS = tuple(2**level for level in range(4))
SCALE = 1 / sqrt(len(DILATIONS))
EPSILON = torch.finfo(torch.float32).eps
Projection = functools.partial(nn.Linear, bias=False)
swish = lambda y: y * y.sigmoid()  # noqa: E731


@dataclass(frozen=True)
class Plan:
    width: int
    dilations: tuple = field(default_factory=lambda: DILATIONS)


class Mixer(nn.Module):
    """Sum of branches that look back by powers of two, normalised per head."""

    def __init__(self, hidden_size, num_heads, layer_idx):
        super().__init__()
        self.plan = Plan(hidden_size)
        self.heads = num_heads
        self.branches = nn.ModuleList([Projection(hidden_size, hidden_size) for _ in self.plan.dilations])
        self.out = Projection(hidden_size, hidden_size)

    def __repr__(self):
        return f"{self.__class__.__name__}({self.plan.width})"

    def forward(self, x):
        y = x
        for branch, dilation in zip(self.branches, self.plan.dilations, strict=True):
            y = y + SCALE * swish(branch(F.pad(x, (0, 0, dilation, 0))[:, : x.shape[1]]))
        y = rearrange(y, "b t (h d) -> b t h d", h=self.heads)
        y = y * (y.square().mean(-1, keepdim=True) + EPSILON).rsqrt()
        return self.out(rearrange(y, "b t h d -> b t (h d)"))


if __name__ == "__main__":
    Mixer(64, 2, 0)(torch.randn(2, 8, 64))
