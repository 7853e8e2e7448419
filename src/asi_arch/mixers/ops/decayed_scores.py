"""Scores under per-channel decay, without ever raising e to a positive power. Legend: `shapes.py`.

A_ij = sum_c x_ic y_jc exp(G_ic - G_jc) for j <= i, where G falls along the chunk. The factors exp(G_i) and exp(-G_j)
overflow. So the chunk is halved again and again: a later half meets the earlier one through the gate at their border
b, exp(G_i - G_b) exp(G_b - G_j), both at most 1; the smallest blocks on the diagonal use the differences themselves.
R groups of rows share one G; M pairs of halves of h steps each fill a chunk.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast

_SMALLEST = 4


def decayed_scores(groups: tuple[Tensor, ...], y: Tensor, cumulative: Tensor) -> tuple[Tensor, ...]:
    """Scores [N, BH, C, C] of each group of rows [N, BH, C, K] against y [N, BH, C, K]; 0 after the diagonal.

    `cumulative` G [N, BH, C, K] is the running sum of log decays <= 0. C must be 4 times a power of two.
    """
    lead = y.shape[:2]
    rows = torch.stack([x.flatten(0, 1) for x in groups], dim=1)
    form = _DecayedScores.apply if is_fast() else _scores
    return form(rows, y.flatten(0, 1), cumulative.flatten(0, 1)).unflatten(0, lead).unbind(2)


def _scores(x: Tensor, y: Tensor, cumulative: Tensor) -> Tensor:
    """[G, R, C, K] against [G, C, K] -> [G, R, C, C]."""
    scores = x.new_zeros(*x.shape[:-1], y.shape[-2])
    for half, late, early in _halves(cumulative):
        rows = (_pairs(x, half)[:, :, :, 1] * late.unsqueeze(2)).flatten(2, 3)
        columns = _pairs(y, half)[:, :, 0] * early
        _below(scores, half).copy_((rows @ columns.mT).unflatten(2, (-1, half)))
    faded = _blocks(y).unsqueeze(-3) * _differences(cumulative)
    _diagonal(scores).copy_((_rows_together(x) @ faded.mT).transpose(-3, -2).transpose(-4, -3))
    return scores


class _DecayedScores(torch.autograd.Function):
    """Keeps the inputs only. The gate's gradient needs no exponentials: dG = sum_R x dx - y dy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, cumulative: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, cumulative)
        return _scores(x, y, cumulative)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, cumulative = ctx.saved_tensors
        grad_x, grad_y = torch.zeros_like(x), torch.zeros_like(y)
        _backward_diagonal(grad, x, y, cumulative, grad_x, grad_y)
        for half, late, early in _halves(cumulative):
            block = _below(grad, half).flatten(2, 3)
            rows = (_pairs(x, half)[:, :, :, 1] * late.unsqueeze(2)).flatten(2, 3)
            columns = _pairs(y, half)[:, :, 0] * early
            _pairs(grad_x, half)[:, :, :, 1].addcmul_((block @ columns).unflatten(2, (-1, half)), late.unsqueeze(2))
            _pairs(grad_y, half)[:, :, 0].addcmul_(block.mT @ rows, early)
        return grad_x, grad_y, (x * grad_x).sum(1) - y * grad_y


def _backward_diagonal(grad: Tensor, x: Tensor, y: Tensor, cumulative: Tensor, grad_x: Tensor, grad_y: Tensor) -> None:
    """Fill `grad_x` and `grad_y` with what the small diagonal blocks contribute."""
    differences = _differences(cumulative)
    block = _diagonal(grad).transpose(-4, -3).transpose(-3, -2)
    faded = _blocks(y).unsqueeze(-3) * differences
    _blocks(grad_x).copy_((block @ faded).transpose(-3, -2).transpose(-4, -3))
    _blocks(grad_y).copy_(((block.mT @ _rows_together(x)) * differences).sum(-3))


def _halves(cumulative: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Half lengths, with exp(G_i - G_b) of the later and exp(G_b - G_j) of the earlier halves, [G, M, h, K]."""
    half = cumulative.shape[-2] // 2
    while half >= _SMALLEST:
        pairs = _pairs(cumulative, half)
        border = pairs[:, :, 0, -1:]
        yield half, (pairs[:, :, 1] - border).exp(), (border - pairs[:, :, 0]).exp()
        half //= 2


def _pairs(x: Tensor, half: int) -> Tensor:
    """View of [G, C, K] as [G, M, 2, h, K], and of [G, R, C, K] as [G, M, R, 2, h, K]."""
    view = x.unflatten(-2, (-1, 2, half))
    return view if x.dim() == 3 else view.transpose(1, 2)


def _below(scores: Tensor, half: int) -> Tensor:
    """View of the blocks of [G, R, C, C] where later halves meet earlier ones: [G, M, R, h, h]."""
    blocks = scores.unflatten(-1, (-1, 2, half)).unflatten(2, (-1, 2, half))[:, :, :, 1, :, :, 0]
    return blocks.diagonal(dim1=2, dim2=4).movedim(-1, 1)


def _blocks(x: Tensor) -> Tensor:
    """View of [..., C, K] as [..., C / 4, 4, K]."""
    return x.unflatten(-2, (-1, _SMALLEST))


def _rows_together(x: Tensor) -> Tensor:
    """The R rows of each step side by side: [G, R, C, K] -> [G, C / 4, 4, R, K]."""
    return _blocks(x).movedim(1, -2)


def _diagonal(scores: Tensor) -> Tensor:
    """View of the diagonal blocks of [G, R, C, C]: [G, R, C / 4, 4, 4]."""
    blocks = scores.unflatten(-1, (-1, _SMALLEST)).unflatten(2, (-1, _SMALLEST))
    return blocks.diagonal(dim1=2, dim2=4).movedim(-1, 2)


def _differences(cumulative: Tensor) -> Tensor:
    """exp(G_i - G_j) for j <= i, 0 elsewhere: [G, C / 4, 4, 4, K]."""
    blocks = _blocks(cumulative)
    future = torch.ones(_SMALLEST, _SMALLEST, dtype=torch.bool, device=cumulative.device).triu(1).unsqueeze(-1)
    return (blocks.unsqueeze(-2) - blocks.unsqueeze(-3)).masked_fill(future, -torch.inf).exp()
