from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from asi_arch.mixers.dispatch import Implementation, use
from asi_arch.mixers.ops import REGISTRY, Op, sliding_window_attention
from asi_arch.mixers.ops.chunks import CHUNK

pytestmark = pytest.mark.torch

KEY_WIDTH, VALUE_WIDTH = 6, 5
LENGTHS = (1, 2, 31, 32, 33, 64, 65, 100)
CHUNKED = (Implementation.FAST, Implementation.EAGER)


class Call(NamedTuple):
    tensors: tuple[Tensor, ...]
    options: dict[str, Any]

    def leaves(self) -> list[Tensor]:
        return [*self.tensors, *(x for x in self.options.values() if isinstance(x, Tensor))]

    def map(self, change: Callable[[Tensor], Tensor]) -> "Call":
        options = {name: change(x) if isinstance(x, Tensor) else x for name, x in self.options.items()}
        return Call(tuple(change(x) for x in self.tensors), options)

    def __call__(self, op: Op) -> Tensor:
        return op(*self.tensors, **self.options)


def arguments(name: str, time: int, *, correlated: bool = False, fastest: float = 3.0, heads: int = 2) -> Call:
    """Random float64 arguments; `correlated` makes all keys nearly the same, `fastest` bounds the log decays."""
    generator = torch.Generator().manual_seed(time)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, dtype=torch.float64, generator=generator)

    shape = (2, time, heads)
    q, v = normal(*shape, KEY_WIDTH), normal(*shape, VALUE_WIDTH)
    k = normal(2, 1, heads, KEY_WIDTH) + 1e-3 * normal(*shape, KEY_WIDTH) if correlated else normal(*shape, KEY_WIDTH)
    k = k / k.norm(dim=-1, keepdim=True)
    beta, write = 2 * uniform(*shape), uniform(*shape)
    per_head, per_channel = -fastest * uniform(*shape), -fastest * uniform(*shape, KEY_WIDTH)
    calls: dict[str, Callable[[], Call]] = {
        "linear_attention": lambda: Call((q, k, v), {}),
        "scalar_decay": lambda: Call((q, k, v, per_head), {}),
        "vector_decay": lambda: Call((q, k, v, per_channel), {}),
        "delta_rule": lambda: Call((q, k, v, beta), {"write": write}),
        "gated_delta_rule": lambda: Call((q, k, v, beta, per_head), {"write": write}),
        "channel_delta_rule": lambda: Call((q, k, v, beta, per_channel), {"write": write}),
        "rwkv7": lambda: Call((q, per_channel, k, v, -k, k * uniform(*k.shape)), {}),
        "sliding_window_attention": lambda: Call((q, k, v), {"window": 20}),
        "softmax_attention": lambda: Call((q, k, v), {}),
    }
    return calls[name]()


def outputs_and_gradients(name: str, call: Call, implementation: Implementation) -> Iterator[Tensor]:
    call = call.map(lambda x: x.detach().requires_grad_())
    with use(implementation):
        y = call(REGISTRY[name])
    weights = torch.randn(y.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    yield y.detach()
    yield from torch.autograd.grad((y * weights).sum(), call.leaves(), materialize_grads=True)


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("time", LENGTHS)
@pytest.mark.parametrize("name", REGISTRY)
def test_chunked_forms_and_their_gradients_equal_the_recurrence(name: str, time: int, correlated: bool) -> None:
    call = arguments(name, time, correlated=correlated)
    expected = list(outputs_and_gradients(name, call, Implementation.NAIVE))
    for implementation in CHUNKED:
        found = outputs_and_gradients(name, call, implementation)
        for x, y in zip(found, expected, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("implementation", Implementation)
@pytest.mark.parametrize("name", REGISTRY)
def test_the_future_does_not_reach_the_past(name: str, implementation: Implementation) -> None:
    call, cut = arguments(name, 70), 41
    changed = call.map(lambda x: torch.cat([x[:, :cut], x[:, cut:].flip(1) * 0.5], dim=1))
    with use(implementation):
        before, after = call(REGISTRY[name]), changed(REGISTRY[name])
    torch.testing.assert_close(before[:, :cut], after[:, :cut], rtol=0, atol=1e-12)
    assert not torch.allclose(before[:, cut:], after[:, cut:])


@pytest.mark.parametrize("name", REGISTRY)
def test_the_length_of_the_input_does_not_matter(name: str) -> None:
    call = arguments(name, 100)
    whole = call(REGISTRY[name])
    for time in (1, 31, 33, 64):
        part = call.map(lambda x: x[:, :time])(REGISTRY[name])  # noqa: B023 - called at once
        torch.testing.assert_close(part, whole[:, :time], rtol=0, atol=1e-12)


@pytest.mark.parametrize("fastest", [30.0, 300.0])
@pytest.mark.parametrize("implementation", CHUNKED)
@pytest.mark.parametrize("name", ["scalar_decay", "vector_decay", "gated_delta_rule", "channel_delta_rule", "rwkv7"])
def test_extreme_decays_stay_finite_and_right_in_float32(
    name: str, implementation: Implementation, fastest: float
) -> None:
    call = arguments(name, 2 * CHUNK + 1, fastest=fastest)
    found = list(outputs_and_gradients(name, call.map(Tensor.float), implementation))
    expected = outputs_and_gradients(name, call, Implementation.NAIVE)
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x.double(), y, rtol=1e-4, atol=1e-4)


def test_half_precision_is_computed_in_single_and_returned_in_half() -> None:
    call = arguments("delta_rule", 40)
    y = call.map(Tensor.bfloat16)(REGISTRY["delta_rule"])
    assert y.dtype is torch.bfloat16
    torch.testing.assert_close(y.double(), call(REGISTRY["delta_rule"]), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("window", [1, 5, 16, 17, 33, 150])
def test_any_window_equals_the_recurrence(window: int) -> None:
    q, k, v = arguments("softmax_attention", 100).tensors
    with use(Implementation.NAIVE):
        expected = sliding_window_attention(q, k, v, window=window)
    torch.testing.assert_close(sliding_window_attention(q, k, v, window=window), expected)


def test_a_window_below_one_is_refused_with_its_value() -> None:
    q, k, v = arguments("softmax_attention", 4).tensors
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        sliding_window_attention(q, k, v, window=0)


def test_a_tensor_that_would_have_to_be_broadcast_is_refused_with_its_shape() -> None:
    q, k, v, gates = arguments("vector_decay", 4).tensors
    with pytest.raises(
        ValueError, match=r"vector_decay: tensor 4 must be \[B, T, H, K\] = \(2, 4, 2, 6\), got \(2, 4, 2\)"
    ):
        REGISTRY["vector_decay"](q, k, v, gates[..., 0])


def test_the_dtype_is_kept_under_autocast() -> None:
    call = arguments("gated_delta_rule", 40).map(Tensor.float)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = call(REGISTRY["gated_delta_rule"])
    torch.testing.assert_close(found, call(REGISTRY["gated_delta_rule"]), rtol=0, atol=0)


def test_one_head_and_one_sample_are_enough() -> None:
    for name in REGISTRY:
        y = arguments(name, 1, heads=1).map(lambda x: x[:1])(REGISTRY[name])
        assert y.shape == (1, 1, 1, VALUE_WIDTH)


def test_every_op_is_registered_under_the_name_of_its_function() -> None:
    from asi_arch.mixers import ops

    assert set(REGISTRY) == set(ops.__all__) - {"REGISTRY", "Op"}
    assert all(op.name == name for name, op in REGISTRY.items())
