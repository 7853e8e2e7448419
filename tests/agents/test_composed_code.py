import math

import pytest
import torch
from torch import nn

from asi_arch.agents.composer import BASELINE_DESIGNS, rendered
from asi_arch.domain.candidate import Proposal

pytestmark = pytest.mark.torch

WIDTH, HEADS, BUDGET = 64, 2, 38_000
COMPOSITIONS = 60
MUST_WORK = 0.95
CUT = 41


def mixer_from(source: str) -> nn.Module:
    names: dict[str, object] = {}
    exec(compile(source, "candidate", "exec"), names)
    torch.manual_seed(0)
    mixer = names["Mixer"]
    assert isinstance(mixer, type)
    return mixer(WIDTH, HEADS, 0)


def faults(source: str) -> list[str]:
    """Everything that is wrong with a candidate."""
    mixer = mixer_from(source)
    x = torch.randn(2, 70, WIDTH)
    y = mixer(x)
    (y * torch.randn_like(y)).sum().backward()
    found = [] if y.isfinite().all() and y.shape == x.shape else ["output"]
    for name, parameter in mixer.named_parameters():
        gradient = parameter.grad
        if gradient is None or not gradient.any() or not gradient.isfinite().all():
            found.append(f"gradient of {name}")
    if sum(parameter.numel() for parameter in mixer.parameters()) > BUDGET:
        found.append("size")
    with torch.no_grad():
        changed = torch.cat([x[:, :CUT], torch.randn_like(x[:, CUT:])], dim=1)
        if not torch.allclose(mixer(changed)[:, :CUT], y[:, :CUT], atol=1e-5):
            found.append("causality")
        if not torch.allclose(mixer(x[:1]), y[:1], atol=1e-5):
            found.append("batch independence")
        if mixer(x[:, :1]).shape != (2, 1, WIDTH):
            found.append("a single token")
    return found


def test_nearly_all_compositions_train_are_causal_and_fit(lineage: list[Proposal]) -> None:
    torch.set_num_threads(1)
    chosen = lineage[-COMPOSITIONS:]
    broken = {proposal.name: found for proposal in chosen if (found := faults(proposal.source))}
    assert len(broken) <= math.floor((1 - MUST_WORK) * COMPOSITIONS), broken


@pytest.mark.parametrize("name", list(BASELINE_DESIGNS))
def test_the_baselines_designs_work(name: str) -> None:
    assert faults(rendered(BASELINE_DESIGNS[name], name)) == []
