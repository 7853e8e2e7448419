import pytest
import torch
from torch import Tensor, nn

from asi_arch.domain.profile import ModelSpec
from asi_arch.mixers.dispatch import Implementation, use
from asi_arch.mixers.model import (
    LanguageModel,
    count_parameters,
    fit_mlp_width,
    mixer_parameters,
)
from asi_arch.mixers.nn import RMSNorm

pytestmark = pytest.mark.torch

SPEC = ModelSpec(depth=2, width=16)


class Plain(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x)


class Greedy(Plain):
    """Draws more random numbers, and has an auxiliary loss."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__(hidden_size, num_heads, layer_idx)
        self.more = nn.Parameter(torch.randn(100))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.out(x), self.more.square().mean()


def build(mixer: type[nn.Module] = Plain, seed: int = 0) -> LanguageModel:
    return LanguageModel(mixer, SPEC, vocabulary=11, mlp_width=8, seed=seed)


def tokens(time: int = 7) -> Tensor:
    return torch.arange(2 * time).view(2, time) % 11


def test_what_models_share_starts_equal_whatever_the_mixer_draws() -> None:
    plain, greedy = build(Plain).state_dict(), build(Greedy).state_dict()
    shared = [name for name in plain if "mixer." not in name]
    assert len(shared) == 10
    assert all(torch.equal(plain[name], greedy[name]) for name in shared)
    assert not torch.equal(plain["embedding.weight"], build(seed=1).embedding.weight)


def test_layers_and_seeds_draw_differently_and_the_same_seed_alike() -> None:
    state, again, other = (build(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(state[name], again[name]) for name in state)
    assert not torch.equal(state["blocks.0.mixer.out.weight"], state["blocks.1.mixer.out.weight"])
    assert not torch.equal(state["blocks.0.mixer.out.weight"], other["blocks.0.mixer.out.weight"])
    assert not torch.equal(state["blocks.0.mlp.down.weight"], state["blocks.1.mlp.down.weight"])


def test_the_global_random_state_is_known_after_building() -> None:
    drawn: list[float] = []
    for mixer, before in ((Plain, 1), (Greedy, 2)):
        torch.manual_seed(before)
        build(mixer)
        drawn.append(torch.rand(()).item())
    assert drawn[0] == drawn[1]


def test_the_trusted_side_can_score_hidden_states_with_two_weights() -> None:
    model, targets = build().double(), tokens().roll(-1)
    hidden, auxiliary = model.hidden(tokens())
    norm = nn.functional.rms_norm(hidden, (SPEC.width,), model.norm.weight, model.norm.eps)
    logits = norm @ model.embedding.weight.T
    expected = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss, _ = model.loss(tokens(), targets)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(model(tokens()), logits)
    assert auxiliary.item() == 0
    assert isinstance(model.norm, RMSNorm)


def test_only_scored_positions_count() -> None:
    model = build().double()
    targets = tokens().roll(-1)
    masked = targets.masked_fill(torch.arange(7) % 3 != 0, -1)
    logits = model(tokens()).flatten(0, 1)
    expected = nn.functional.cross_entropy(logits, masked.flatten(), ignore_index=-1)
    torch.testing.assert_close(model.loss(tokens(), masked)[0], expected)


def test_auxiliary_losses_of_the_layers_are_added_up() -> None:
    model = build(Greedy)
    _, auxiliary = model.loss(tokens(), tokens())
    expected = sum(block.mixer.more.square().mean() for block in model.blocks)  # pyright: ignore
    torch.testing.assert_close(auxiliary, expected)


def test_the_plain_form_gives_the_same_loss_and_gradients() -> None:
    model = build().double()
    fast = torch.autograd.grad(model.loss(tokens(), tokens())[0], list(model.parameters()))
    with use(Implementation.EAGER):
        plain = torch.autograd.grad(model.loss(tokens(), tokens())[0], list(model.parameters()))
    torch.testing.assert_close(fast, plain)


@pytest.mark.parametrize("mixer", [Plain, Greedy])
def test_parameters_are_counted_without_building_the_model(mixer: type[nn.Module]) -> None:
    counted = count_parameters(mixer_parameters=mixer_parameters(mixer, SPEC), spec=SPEC, vocabulary=11, mlp_width=8)
    assert counted == sum(parameter.numel() for parameter in build(mixer).parameters())


def test_the_mlp_takes_up_the_difference_between_mixers() -> None:
    target = count_parameters(mixer_parameters=500, spec=SPEC, vocabulary=11, mlp_width=40)
    fit = fit_mlp_width(mixer_parameters=980, target_parameters=target, spec=SPEC, vocabulary=11, tolerance=0.02)
    assert fit.width == 35
    assert abs(fit.parameters - target) <= 0.02 * target


def test_a_mixer_too_large_to_be_matched_is_refused_with_the_numbers() -> None:
    with pytest.raises(ValueError, match=r"mixers' 9000 parameters can't be matched to 5000 within 2.0%.*width 8"):
        fit_mlp_width(mixer_parameters=9000, target_parameters=5000, spec=SPEC, vocabulary=11, tolerance=0.02)
