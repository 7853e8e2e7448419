"""The stand-ins compute what the names stand for."""

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


def test_sequences_in_one_row_are_refused() -> None:
    import torch

    from asi_arch.lab.adapters.stand_ins.modules import ShortConvolution
    from asi_arch.lab.adapters.stand_ins.ops import delta_rule

    with pytest.raises(ValueError, match="cu_seqlens must be None"):
        ShortConvolution(6)(torch.randn(1, 9, 6), cu_seqlens=torch.tensor([0, 4, 9]))
    q = torch.randn(1, 3, 2, 4)
    with pytest.raises(ValueError, match="initial_state and cu_seqlens must be None"):
        delta_rule(q, q, q, torch.rand(1, 3, 2), initial_state=torch.zeros(1, 2, 4, 4))


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
