from collections.abc import Callable

import pytest

from asi_arch.domain.profile import CheckSpec, ModelSpec
from asi_arch.lab.checks import CheckSetting

_SKELETON = '''
import math

import torch
import torch.nn.functional as F
from torch import nn


class Mixer(nn.Module):
    """A leaky average and a projection."""

    def __init__(self, hidden_size, num_heads, layer_idx):
        super().__init__()
        self.layer_idx = layer_idx
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
{init}

    def forward(self, x):
        v = self.value(x)
        batch, time, width = v.shape
        y = v + F.pad(v, (0, 0, 1, 0))[:, :time]
{body}
        return self.out(y)
'''


def _indented(text: str) -> str:
    return "\n".join("        " + line for line in text.splitlines())


@pytest.fixture(scope="session")
def setting() -> CheckSetting:
    """Width 64, two heads, two layers, context 256: the `cpu` profile."""
    return CheckSetting(
        spec=CheckSpec(), model=ModelSpec(depth=2), vocabulary=256, context=256, target_parameters=97_000
    )


@pytest.fixture(scope="session")
def mixer_source() -> Callable[..., str]:
    """Source of a small honest mixer (y holds [B, T, D] values) with lines added to constructor and forward."""

    def source(body: str = "", init: str = "") -> str:
        return _SKELETON.format(init=_indented(init), body=_indented(body))

    return source
