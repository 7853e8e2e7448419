"""Functions of single numbers: `fla.modules.activations`. Legend: any shape."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Activation = Callable[[Tensor], Tensor]


def swish(x: Tensor) -> Tensor:
    """The input times its sigmoid."""
    return F.silu(x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return torch.sigmoid(x)


def logsigmoid(x: Tensor, temperature: float = 1.0) -> Tensor:
    """log(sigmoid(x)) / temperature."""
    return F.logsigmoid(x) / temperature


def sqrelu(x: Tensor) -> Tensor:
    """max(x, 0) squared."""
    return F.relu(x).square()


def swiglu(x: Tensor, y: Tensor) -> Tensor:
    """silu(x) * y."""
    return F.silu(x) * y


def fast_gelu(x: Tensor) -> Tensor:
    """The input times the normal distribution below it, approximated by tanh."""
    return F.gelu(x, approximate="tanh")


ACTIVATIONS: Mapping[str, Activation] = {
    "relu": F.relu,
    "sigmoid": sigmoid,
    "logsigmoid": logsigmoid,
    "silu": swish,
    "swish": swish,
    "sqrelu": sqrelu,
    "gelu": fast_gelu,
    "bias_gelu": fast_gelu,
}
"""By the names that configurations use."""
