from collections.abc import Callable
from pathlib import Path

import pytest

from asi_arch.domain.profile import CheckSpec, ModelSpec
from asi_arch.lab.checks import CheckSetting

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))

_LAYER = """
import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import nn


class DeltaNet(nn.Module):
    def __init__(self, hidden_size=8, num_heads=2, layer_idx=None{extra}):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
{init}

    def forward(self, hidden_states, attention_mask=None, past_key_values=None, **kwargs):
        v = self.value(hidden_states)
        y = v + F.pad(v, (0, 0, 1, 0))[:, : v.shape[1]]
{body}
        return self.out(y), None, past_key_values
"""

MakeLayer = Callable[..., str]


def layer(body: str = "", *, init: str = "", extra: str = "", top: str = "") -> str:
    """Source of a small honest layer with lines added to constructor and forward."""

    def indented(text: str) -> str:
        return "\n".join("        " + line for line in text.splitlines())

    return top + _LAYER.format(body=indented(body), init=indented(init), extra=extra)


@pytest.fixture(scope="session")
def setting() -> CheckSetting:
    """Small enough for a second per program."""
    spec = CheckSpec(lengths=(31, 33), batch_sizes=(1, 3), parameter_tolerance=0.05)
    return CheckSetting(spec=spec, model=ModelSpec(depth=2), vocabulary=256, context=48, target_parameters=97_000)
