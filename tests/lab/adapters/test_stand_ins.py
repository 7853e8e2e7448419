"""The stand-ins compute what the names stand for."""

from typing import Any

import pytest

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", [None, "silu", "swish"])
def test_a_convolution_is_causal_and_takes_up_its_state(bias: bool, activation: str | None) -> None:
    import torch
    import torch.nn.functional as F

    from asi_arch.lab.adapters.stand_ins.modules import ShortConvolution

    convolution = ShortConvolution(6, 4, bias=bias, activation=activation).double()
    x = torch.randn(2, 9, 6, dtype=torch.float64)
    whole, nothing = convolution(x)
    assert nothing is None
    padded = F.pad(x.mT, (3, 0))
    expected = F.conv1d(padded, convolution.weight, convolution.bias, groups=6).mT
    torch.testing.assert_close(whole, expected if activation is None else F.silu(expected))
    first, state = convolution(x[:, :5], output_final_state=True)
    rest, _ = convolution(x[:, 5:], cache=state)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)


def test_rows_packed_into_one_see_nothing_of_each_other() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins.modules import ShortConvolution

    convolution = ShortConvolution(6, 4, bias=True).double()
    rows = [torch.randn(1, length, 6, dtype=torch.float64) for length in (4, 1, 5)]
    edges = torch.tensor([0, 4, 5, 10], dtype=torch.int32)
    y, states = convolution(torch.cat(rows, 1), cu_seqlens=edges, output_final_state=True)
    alone = [convolution(row, output_final_state=True) for row in rows]
    torch.testing.assert_close(y, torch.cat([part for part, _ in alone], 1))
    torch.testing.assert_close(states, torch.cat([state for _, state in alone]))
    with pytest.raises(ValueError, match="all rows must be packed into one, got 2"):
        convolution(torch.randn(2, 5, 6, dtype=torch.float64), cu_seqlens=edges)


def _called(name: str, part: slice = slice(None), **options: Any) -> Any:
    """One operator on the same eleven tokens, in float64 and without normalisation."""
    import torch

    from asi_arch.lab.adapters.stand_ins import ops

    generator = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(2, 11, 3, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    v, k = v[..., :2], torch.nn.functional.normalize(k, dim=-1)
    head, channel = (-torch.rand(2, 11, 3, *more, generator=generator, dtype=torch.float64) for more in ((), (4,)))
    gates = {
        "delta_rule": {"beta": head.exp()},
        "gated_delta_rule": {"g": head, "beta": head.exp()},
        "simple_gla": {"g": head},
        "gla": {"gk": channel},
        "linear_attention": {"normalize": False},
        "retention": {},
    }[name]
    tokens = {"q": q, "k": k, "v": v, **gates}
    cut = {key: value[:, part] if isinstance(value, torch.Tensor) else value for key, value in tokens.items()}
    if options.get("head_first"):
        cut = {key: value.transpose(1, 2) if isinstance(value, torch.Tensor) else value for key, value in cut.items()}
    if "cu_seqlens" in options:
        cut = {key: value[:1] if isinstance(value, torch.Tensor) else value for key, value in cut.items()}
    return getattr(ops, name)(**cut, **options)


OPERATORS = ("delta_rule", "gated_delta_rule", "simple_gla", "gla", "linear_attention", "retention")


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_hands_its_state_on(name: str) -> None:
    import torch

    whole, nothing = _called(name)
    assert nothing is None
    first, state = _called(name, slice(0, 5), output_final_state=True)
    assert state.shape == (2, 3, 4, 2)
    rest, final = _called(name, slice(5, None), initial_state=state, output_final_state=True)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)
    torch.testing.assert_close(final, _called(name, output_final_state=True)[1])


@pytest.mark.parametrize("name", OPERATORS)
def test_heads_may_come_before_time(name: str) -> None:
    import torch

    o, state = _called(name, head_first=True, output_final_state=True)
    expected, same = _called(name, output_final_state=True)
    torch.testing.assert_close(o.transpose(1, 2), expected)
    torch.testing.assert_close(state, same)


@pytest.mark.parametrize("name", OPERATORS)
def test_packed_rows_of_an_operator_have_states_of_their_own(name: str) -> None:
    import torch

    o, states = _called(name, cu_seqlens=torch.tensor([0, 5, 11]), output_final_state=True)
    alone = [_called(name, part, output_final_state=True) for part in (slice(0, 5), slice(5, 11))]
    torch.testing.assert_close(o, torch.cat([found[:1] for found, _ in alone], dim=1))
    torch.testing.assert_close(states, torch.cat([state[:1] for _, state in alone]))


def test_retention_fades_by_the_rates_of_its_paper() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins import ops

    q, k, v = torch.randn(3, 2, 7, 3, 4, dtype=torch.float64)
    rates = torch.tensor([1 - 2.0 ** (-5 - head) for head in range(3)], dtype=torch.float64).log()
    torch.testing.assert_close(ops.retention(q, k, v)[0], ops.simple_gla(q, k, v, rates.expand(2, 7, 3))[0])


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("activation", ["swish", "sigmoid"])
def test_norms_are_those_of_torch(affine: bool, activation: str) -> None:
    import torch
    import torch.nn.functional as F

    from asi_arch.lab.adapters.stand_ins.modules import FusedRMSNormGated, RMSNorm

    x, gate = torch.randn(2, 2, 5, 8, dtype=torch.float64)
    expected = F.rms_norm(x, (8,), eps=1e-5)
    torch.testing.assert_close(RMSNorm(8, elementwise_affine=affine).double()(x), expected)
    summed, total = RMSNorm(8, elementwise_affine=affine).double()(x, residual=gate, prenorm=True)
    torch.testing.assert_close(total, x + gate)
    torch.testing.assert_close(summed, F.rms_norm(x + gate, (8,), eps=1e-5))
    gated = FusedRMSNormGated(8, elementwise_affine=affine, activation=activation).double()
    torch.testing.assert_close(gated(x, gate), expected * (F.silu(gate) if activation == "swish" else gate.sigmoid()))


def test_padding_is_taken_out_and_put_back() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins.padding import get_unpad_data, index_first_axis, pad_input

    mask = torch.tensor([[1, 1, 0], [1, 1, 1], [1, 0, 0]])
    x = torch.randn(3, 3, 2)
    indices, boundaries, longest = get_unpad_data(mask)
    assert (boundaries.tolist(), longest) == ([0, 2, 5, 6], 3)
    packed = index_first_axis(x.flatten(0, 1), indices)
    assert packed.shape == (6, 2)
    assert torch.equal(pad_input(packed, indices, 3, 3), x * mask.unsqueeze(-1))


def test_ops_scale_the_queries_and_normalise_where_asked() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins import ops as stand_ins
    from asi_arch.mixers import ops
    from asi_arch.mixers.nn import l2_norm

    q, k, v = torch.randn(3, 2, 7, 2, 4, dtype=torch.float64)
    beta, decay = torch.rand(2, 7, 2, dtype=torch.float64), -torch.rand(2, 7, 2, dtype=torch.float64)
    found, state = stand_ins.delta_rule(q=q, k=k, v=v, beta=beta, use_qk_l2norm_in_kernel=True)
    assert state is None
    torch.testing.assert_close(found, ops.delta_rule(l2_norm(q) / 2, l2_norm(k), v, beta))
    torch.testing.assert_close(
        stand_ins.gated_delta_rule(q, l2_norm(k), v, decay, beta, scale=1.0)[0],
        ops.gated_delta_rule(q, l2_norm(k), v, beta, decay),
    )
    torch.testing.assert_close(stand_ins.simple_gla(q, k, v, decay)[0], ops.scalar_decay(q / 2, k, v, decay))
    mean, _ = stand_ins.linear_attention(q.softmax(-1), k.softmax(-1), torch.ones_like(v))
    torch.testing.assert_close(mean, torch.ones_like(v), rtol=1e-6, atol=1e-6)


def test_a_length_of_zero_has_a_direction_of_zero() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins.modules import l2norm

    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(l2norm(x), x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt())


def test_group_and_layer_norms_are_those_of_torch() -> None:
    import torch
    import torch.nn.functional as F

    from asi_arch.lab.adapters.stand_ins.modules import FusedLayerNormGated, GroupNorm

    x, gate = torch.randn(2, 3, 5, 8, dtype=torch.float64)
    rows = F.group_norm(x.flatten(0, 1), 4).unflatten(0, (3, 5))
    torch.testing.assert_close(GroupNorm(4, 8, bias=True).double()(x), rows)
    root = F.rms_norm(x.unflatten(-1, (4, 2)), (2,), eps=1e-5).flatten(-2)
    torch.testing.assert_close(GroupNorm(4, 8, is_rms_norm=True).double()(x), root)
    torch.testing.assert_close(FusedLayerNormGated(8).double()(x, gate), F.layer_norm(x, (8,)) * F.silu(gate))


def test_a_gated_norm_takes_up_the_residual_stream() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins.modules import FusedRMSNormGated

    x, gate, residual = torch.randn(3, 2, 5, 8, dtype=torch.float64)
    norm = FusedRMSNormGated(8).double()
    y, total = norm(x, gate, residual=residual, prenorm=True)
    torch.testing.assert_close(total, x + residual)
    torch.testing.assert_close(y, norm(x + residual, gate))


def test_a_long_convolution_is_causal_and_adds_its_input() -> None:
    import torch
    import torch.nn.functional as F

    from asi_arch.lab.adapters.stand_ins.modules import LongConvolution

    convolution = LongConvolution(3, 9).double()
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    taps = convolution.filter[:, :7].flip(-1).unsqueeze(1)
    expected = F.conv1d(F.pad(x.mT, (6, 0)), taps, groups=3).mT + x
    torch.testing.assert_close(convolution(x), expected)


def test_rotary_scores_depend_on_the_distance_only() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins.modules import RotaryEmbedding

    q, k = torch.randn(2, 1, 1, 2, 6, dtype=torch.float64).expand(2, 1, 8, 2, 6)
    turned, other = RotaryEmbedding(4)(q, k)
    scores = (turned[0, :, 0] @ other[0, :, 0].T).diagonal(-3)
    torch.testing.assert_close(scores, scores[:1].expand_as(scores))
    assert torch.equal(turned[..., 4:], q[..., 4:])


def test_feature_maps_give_the_scores_they_are_named_for() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins import feature_maps

    q, k = torch.randn(2, 5, 4, dtype=torch.float64)
    score = (q * k).sum(-1) / 2
    taylor = feature_maps.TaylorFeatureMap(4)
    torch.testing.assert_close((taylor(q) * taylor(k)).sum(-1), 1 + score + score**2 / 2)
    torch.testing.assert_close(feature_maps.HedgehogFeatureMap(4).double()(q).sum(-1), torch.ones(5).double())
    halves = torch.cat([q, -q], -1).relu()
    assert torch.equal(feature_maps.DPFPFeatureMap(4, nu=1)(q), halves * halves.roll(1, -1))


def test_every_stand_in_can_be_imported_by_its_name() -> None:
    from asi_arch.lab.adapters.runtime import Runtime
    from asi_arch.lab.adapters.stand_ins.registry import builtins_with_stand_ins

    code = """
import fla
import fla.modules as fm
from fla.modules import *
from fla.modules.activations import ACT2FN, logsigmoid, swiglu
from fla.modules.convolution import ShortConvolution as Short
from fla.modules.feature_map import ReLUFeatureMap, SquaredReLUFeatureMap, T2RFeatureMap
from fla.modules.l2norm import l2_norm
from fla.ops import chunk_delta_rule
from fla.ops.delta_rule.chunk import chunk_delta_rule as same
from fla.ops.gla import chunk_gla, fused_chunk_gla, fused_recurrent_gla

assert fm.RMSNorm is RMSNorm and fla.modules is fm and Short is ShortConvolution
assert chunk_delta_rule is same and chunk_gla is fused_recurrent_gla
"""
    exec(code, {"__builtins__": builtins_with_stand_ins(Runtime())})
