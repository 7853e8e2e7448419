"""Feature maps of linear attention: `fla.modules.feature_map`. Legend: [..., D] to [..., E]."""

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asi_arch.lab.adapters.stand_ins import activations


class HedgehogFeatureMap(nn.Module):
    """softmax of (2 L x, -2 L x); L starts as the identity     (Zhang et al. 2024, arXiv 2402.04347)."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(head_dim, head_dim)
        nn.init.eye_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """E = 2 D."""
        y = 2 * self.layer(x)
        return torch.cat([y, -y], dim=-1).softmax(-1)


class T2RFeatureMap(nn.Module):
    """relu(L x)     (Kasai et al. 2021, arXiv 2103.13076)."""

    def __init__(self, head_dim: int, dot_dim: int | None = None, bias: bool = False) -> None:
        super().__init__()
        self.layer = nn.Linear(head_dim, dot_dim or head_dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """E is `dot_dim`, D where that is missing."""
        return self.layer(x).relu()


class DPFPFeatureMap(nn.Module):
    """Products of (relu(x), relu(-x)) with itself turned by 1 ... nu places     (Schlag et al. 2021, eq. 37)."""

    def __init__(self, head_dim: int, nu: int = 4) -> None:
        super().__init__()
        self.nu = nu

    def forward(self, x: Tensor) -> Tensor:
        """E = 2 D nu."""
        halves = torch.cat([x, -x], dim=-1).relu()
        return torch.cat([halves * halves.roll(places, dims=-1) for places in range(1, self.nu + 1)], dim=-1)


class HadamardFeatureMap(nn.Module):
    """The product of two linear maps."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.layer1 = nn.Linear(head_dim, head_dim)
        self.layer2 = nn.Linear(head_dim, head_dim)

    def forward(self, x: Tensor) -> Tensor:
        """E = D."""
        return self.layer1(x) * self.layer2(x)


class TaylorFeatureMap(nn.Module):
    """Scores of exp(q k / sqrt(D)) up to the second order     (Arora et al. 2024, arXiv 2402.18668)."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.head_dim = head_dim

    def forward(self, x: Tensor) -> Tensor:
        """E = 1 + D + D (D + 1) / 2."""
        width = self.head_dim
        first, second = torch.triu_indices(width, width, 1, device=x.device)
        pairs = x[..., first] * x[..., second] / math.sqrt(width)
        squares = x.square() / math.sqrt(2 * width)
        return torch.cat([torch.ones_like(x[..., :1]), x / width**0.25, squares, pairs], dim=-1)


def _of(function: Callable[[Tensor], Tensor]) -> type[nn.Module]:
    """A module without parameters, E = D."""

    class Pointwise(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    return Pointwise


ReLUFeatureMap = _of(F.relu)
SquaredReLUFeatureMap = _of(activations.sqrelu)
GELUFeatureMap = _of(activations.fast_gelu)
SwishFeatureMap = _of(activations.swish)
SigmoidFeatureMap = _of(activations.sigmoid)

FEATURE_MAPS: Mapping[str, object] = {
    "HedgehogFeatureMap": HedgehogFeatureMap,
    "T2RFeatureMap": T2RFeatureMap,
    "DPFPFeatureMap": DPFPFeatureMap,
    "HadamardFeatureMap": HadamardFeatureMap,
    "TaylorFeatureMap": TaylorFeatureMap,
    "ReLUFeatureMap": ReLUFeatureMap,
    "SquaredReLUFeatureMap": SquaredReLUFeatureMap,
    "GELUFeatureMap": GELUFeatureMap,
    "SwishFeatureMap": SwishFeatureMap,
    "SigmoidFeatureMap": SigmoidFeatureMap,
}
"""All of them by the names that they have in `fla.modules.feature_map`."""
