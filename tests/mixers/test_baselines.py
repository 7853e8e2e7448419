import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from asi_arch.domain.errors import CandidateError
from asi_arch.domain.profile import ModelSpec
from asi_arch.mixers.baselines import load, names
from asi_arch.mixers.dispatch import Implementation, use
from asi_arch.mixers.model import LanguageModel, fit_mlp_width, mixer_parameters

pytestmark = pytest.mark.torch

SPEC = ModelSpec(depth=2)


def mixer_class(name: str) -> type[nn.Module]:
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(load(name).source, f"{name}.py", "exec"), namespace)
    return namespace["Mixer"]


def built(name: str) -> nn.Module:
    torch.manual_seed(0)
    mixer = mixer_class(name)(32, 2, 0).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in mixer.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator))
    return mixer


@pytest.mark.parametrize("name", names())
def test_every_implementation_gives_the_same_output_and_gradients(name: str) -> None:
    mixer = built(name)
    x = torch.randn(2, 37, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = []
    for implementation in Implementation:
        with use(implementation):
            y = mixer(x)
        found.append((y.detach(), *torch.autograd.grad(y.square().sum(), list(mixer.parameters()))))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", names())
def test_outputs_follow_from_the_past_and_from_their_own_sample(name: str) -> None:
    mixer = built(name)
    x = torch.randn(3, 50, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        y, part = mixer(x), mixer(x[:1, :33])
    torch.testing.assert_close(part, y[:1, :33], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", names())
def test_every_parameter_gets_gradient_in_a_fresh_model(name: str) -> None:
    model = LanguageModel(mixer_class(name), SPEC, vocabulary=16, mlp_width=16, seed=0)
    tokens = torch.arange(80).view(2, 40) % 16
    model.loss(tokens, tokens.roll(-3, dims=1))[0].backward()
    gradients = {n: p.grad for n, p in model.named_parameters()}
    assert all(g is not None and g.isfinite().all() and g.any() for g in gradients.values())


@pytest.mark.parametrize("name", [name for name in names() if load(name).is_candidate])
def test_candidates_can_be_matched_in_parameters(name: str) -> None:
    target = mixer_parameters(mixer_class("delta_net"), SPEC) + 256 * 64 + 5 * 64 + 2 * 3 * 64 * SPEC.mlp_width
    fit = fit_mlp_width(
        mixer_parameters=mixer_parameters(mixer_class(name), SPEC),
        target_parameters=target,
        spec=SPEC,
        vocabulary=256,
        tolerance=0.02,
    )
    assert fit.width >= 64


def test_baselines_say_what_they_are_and_why() -> None:
    for name in names():
        baseline = load(name)
        assert baseline.name == name
        assert baseline.title and "\n" not in baseline.title
        assert len(baseline.motivation) > 150
        assert "ShortConvolution" in baseline.source
    assert not load("softmax_attention").is_candidate


def test_an_unknown_baseline_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CandidateError, match="unknown baseline 'transformer'; known are delta_net"):
        load("transformer")


def test_reading_baselines_needs_no_torch() -> None:
    code = "import sys; from asi_arch.mixers.baselines import load; load('gla'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_delta_net_learns_within_a_few_steps() -> None:
    torch.set_num_threads(1)
    model = LanguageModel(mixer_class("delta_net"), ModelSpec(depth=1), vocabulary=16, mlp_width=16, seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    tokens = torch.randint(16, (4, 33), generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(30):
        loss, _ = model.loss(tokens[:, :-1], tokens[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(3.2, abs=0.5)
    assert losses[-1] < 1.0
