"""States at chunk borders under diagonal transitions: S_{n+1} = d_n S_n + R_n, S_0 = 0. Legend: `shapes.py`."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast


def diagonal_scan(decay: Tensor, inflow: Tensor) -> Tensor:
    """State before each chunk, from decays [N, BH, K or 1, 1] and inflows [N, BH, K, V]: [N, BH, K, V]."""
    return _DiagonalScan.apply(decay, inflow) if is_fast() else _eager(decay, inflow)


def _eager(decay: Tensor, inflow: Tensor) -> Tensor:
    state = torch.zeros_like(inflow[0])
    states: list[Tensor] = []
    for factor, arrival in zip(decay, inflow, strict=True):
        states.append(state)
        state = factor * state + arrival
    return torch.stack(states)


class _DiagonalScan(torch.autograd.Function):
    """One fused multiply-add a chunk, in both directions."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, inflow: Tensor) -> Tensor:
        states = torch.empty_like(inflow)
        states[0].zero_()
        for n in range(inflow.shape[0] - 1):
            torch.addcmul(inflow[n], decay[n], states[n], out=states[n + 1])
        ctx.save_for_backward(decay, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        decay, states = ctx.saved_tensors
        arriving = torch.empty_like(states)
        arriving[-1].zero_()
        for n in range(states.shape[0] - 1, 0, -1):
            torch.addcmul(grad[n], decay[n], arriving[n], out=arriving[n - 1])
        return (arriving * states).sum_to_size(decay.shape), arriving
