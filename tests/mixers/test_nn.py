from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from asi_arch.mixers.dispatch import Implementation, use
from asi_arch.mixers.feed_forward import SwiGLU, cross_entropy
from asi_arch.mixers.nn import (
    GatedRMSNorm,
    RMSNorm,
    Rotary,
    ShortConvolution,
    l2_norm,
    merge_heads,
    split_heads,
)

pytestmark = pytest.mark.torch

SHAPES = [(1, 1), (2, 5)]


def normal(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


def assert_backward_is_right(function: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Against finite differences, the plain form and the form without gradients."""
    assert torch.autograd.gradcheck(function, inputs)
    fast = function(*inputs)
    with use(Implementation.EAGER):
        torch.testing.assert_close(function(*inputs), fast)
    with torch.no_grad():
        torch.testing.assert_close(function(*inputs), fast)


def with_weights(module: nn.Module) -> Callable[..., Tensor]:
    """The module as a function of its inputs and, last, its weight."""
    return lambda *x: functional_call(module, {"weight": x[-1]}, x[:-1])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", ["silu", None])
@pytest.mark.parametrize("kernel_size", [1, 4, 7])
def test_the_short_convolution_differentiates_rightly(
    shape: tuple[int, int], activation: Literal["silu"] | None, kernel_size: int
) -> None:
    module = ShortConvolution(3, kernel_size, activation).double()
    assert_backward_is_right(with_weights(module), normal(*shape, 3), normal(3, kernel_size))


def test_a_long_filter_sees_the_past_only() -> None:
    module = ShortConvolution(4, 64, None).double()
    x = normal(2, 100, 4).detach()
    later = x.clone()
    later[:, 60:] = 0
    torch.testing.assert_close(module(x)[:, :60], module(later)[:, :60], rtol=0, atol=1e-12)


def test_the_last_tap_meets_the_present_token() -> None:
    module = ShortConvolution(1, 3, None)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[100.0, 10.0, 1.0]]))
    y = module(torch.tensor([[[1.0], [2.0], [3.0]]]))
    assert y.flatten().tolist() == [1.0, 12.0, 123.0]


def test_an_input_that_is_not_contiguous_is_filtered_alike() -> None:
    module = ShortConvolution(3).double()
    x = normal(2, 3, 9).detach().mT
    torch.testing.assert_close(module(x), module(x.contiguous()))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'relu'"):
        ShortConvolution(3, 4, "relu")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("shape", SHAPES)
def test_norms_differentiate_rightly(shape: tuple[int, int]) -> None:
    x, gate, weight = normal(*shape, 2, 4), normal(*shape, 4, 2).reshape(*shape, 2, 4), normal(4)
    assert_backward_is_right(with_weights(RMSNorm(4).double()), x, weight)
    assert_backward_is_right(with_weights(GatedRMSNorm(4).double()), x, gate, weight)
    assert_backward_is_right(l2_norm, x)


def test_the_norm_of_nothing_is_nothing_and_has_a_gradient() -> None:
    x = torch.zeros(1, 1, 4, requires_grad=True)
    y = l2_norm(x).sum() + RMSNorm(4)(x).sum()
    y.backward()
    assert y.item() == 0
    assert x.grad is not None and x.grad.isfinite().all()


def test_rotary_scores_depend_on_distance_only() -> None:
    q, k = (
        normal(1, 1, 1, 8).detach().expand(1, 9, 1, 8),
        normal(1, 1, 2, 4).detach().reshape(1, 1, 1, 8).expand(1, 9, 1, 8),
    )
    q, k = Rotary(8)(q, k)
    scores = (q.squeeze() @ k.squeeze().T).detach()
    for distance in range(5):
        diagonal = scores.diagonal(-distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert not torch.allclose(scores[4, 4], scores[4, 0])


def test_an_odd_head_width_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match="got 3"):
        Rotary(3)


def test_heads_split_and_merge_without_loss() -> None:
    x = normal(2, 3, 8)
    assert split_heads(x, 4).shape == (2, 3, 4, 2)
    assert torch.equal(merge_heads(split_heads(x, 4)), x)
    with pytest.raises(ValueError, match="8 channels and 3 heads"):
        split_heads(x, 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_feed_forward_part_differentiates_rightly(shape: tuple[int, int]) -> None:
    module = SwiGLU(4, 6).double()

    def function(x: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
        return functional_call(module, {"gate_up.weight": gate_up, "down.weight": down}, (x,))

    assert_backward_is_right(function, normal(*shape, 4), normal(12, 4), normal(4, 6))


def test_the_loss_differentiates_rightly_over_several_blocks() -> None:
    targets = torch.arange(5) % 3
    assert_backward_is_right(lambda h, e: cross_entropy(h, e, targets), normal(5, 4), normal(3, 4))
    rows, head = normal(300, 4), normal(2000, 4)
    many = torch.arange(300)
    fast = torch.autograd.grad(cross_entropy(rows, head, many), (rows, head))
    with use(Implementation.EAGER):
        plain = torch.autograd.grad(cross_entropy(rows, head, many), (rows, head))
    torch.testing.assert_close(fast, plain)


def test_improbable_targets_have_a_finite_loss() -> None:
    hidden = torch.tensor([[200.0]], requires_grad=True)
    head = torch.tensor([[1.0], [-1.0]])
    loss = cross_entropy(hidden, head, torch.tensor([1]))
    assert loss.item() == pytest.approx(400)
