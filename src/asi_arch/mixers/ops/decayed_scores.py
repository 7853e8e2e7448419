"""Scores under per-channel decay, without ever raising e to a positive power. Legend: `shapes.py`.

A_ij = sum_c x_ic y_jc exp(G_ic - G_jc) for j <= i, where G falls along the chunk. The factors exp(G_i) and exp(-G_j)
overflow. So the chunk is halved again and again: a later half meets the earlier one through the gate at their border
b, exp(G_i - G_b) exp(G_b - G_j), both at most 1; on the diagonal nothing has decayed yet.

R groups of rows and S groups of columns share one G; M pairs of halves of h steps each fill a chunk.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast


def decayed_scores(rows: tuple[Tensor, ...], columns: tuple[Tensor, ...], cumulative: Tensor) -> list[Tensor]:
    """Scores [N, BH, C, C] of each group of rows against each group of columns, all [N, BH, C, K].

    In the order (row 0, column 0), (row 0, column 1), ...; 0 after the diagonal. `cumulative` G [N, BH, C, K] is the
    running sum of log decays <= 0. C must be a power of two.
    """
    x, y = (torch.stack([z.flatten(0, 1) for z in group], dim=1) for group in (rows, columns))
    form = _DecayedScores.apply if is_fast() else _scores
    scores = form(x, y, cumulative.flatten(0, 1))
    return list(scores.flatten(1, 2).unflatten(0, cumulative.shape[:2]).unbind(2))


def _scores(x: Tensor, y: Tensor, cumulative: Tensor) -> Tensor:
    """[G, R, C, K] against [G, S, C, K] -> [G, R, S, C, C]."""
    size = cumulative.shape[1]
    scores = x.new_zeros(x.shape[0], x.shape[1], y.shape[1], size, size)
    scores.diagonal(dim1=-2, dim2=-1).copy_((x.unsqueeze(2) * y.unsqueeze(1)).sum(-1))
    for half, late, early in _halves(cumulative):
        block = _decayed(x, late, 1) @ _decayed(y, early, 0).mT
        _below(scores, half).copy_(block.unflatten(3, (-1, half)).unflatten(2, (-1, half)).transpose(3, 4))
    return scores


class _DecayedScores(torch.autograd.Function):
    """Keeps the inputs only. The gate's gradient needs no exponentials: dG = sum_R x dx - sum_S y dy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, cumulative: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, cumulative)
        return _scores(x, y, cumulative)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, cumulative = ctx.saved_tensors
        diagonal = grad.diagonal(dim1=-2, dim2=-1).unsqueeze(-1)
        grad_x, grad_y = (diagonal * y.unsqueeze(1)).sum(2), (diagonal * x.unsqueeze(2)).sum(1)
        for half, late, early in _halves(cumulative):
            block = _below(grad, half).transpose(3, 4).flatten(4, 5).flatten(2, 3)
            _add_decayed(grad_x, block @ _decayed(y, early, 0), late, 1)
            _add_decayed(grad_y, block.mT @ _decayed(x, late, 1), early, 0)
        return grad_x, grad_y, (x * grad_x).sum(1) - (y * grad_y).sum(1)


def _halves(cumulative: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Half lengths, with exp(G_i - G_b) of the later and exp(G_b - G_j) of the earlier halves, [G, M, 1, h, K]."""
    half = cumulative.shape[1] // 2
    while half:
        earlier, later = cumulative.unflatten(1, (-1, 1, 2, half)).unbind(3)
        border = earlier[..., -1:, :]
        yield half, (later - border).exp(), (border - earlier).exp()
        half //= 2


def _side(x: Tensor, half: int, side: int) -> Tensor:
    """View of the earlier (0) or later (1) halves of [G, R, C, K]: [G, M, R, h, K]."""
    return x.unflatten(2, (-1, 2, half))[:, :, :, side].transpose(1, 2)


def _decayed(x: Tensor, decay: Tensor, side: int) -> Tensor:
    """One side of every pair times its decay, groups joined: [G, M, R * h, K]."""
    return (_side(x, decay.shape[-2], side) * decay).flatten(2, 3)


def _add_decayed(x: Tensor, part: Tensor, decay: Tensor, side: int) -> None:
    """The reverse of `_decayed`: add `part` [G, M, R * h, K] times its decay to one side of every pair of x."""
    half = decay.shape[-2]
    _side(x, half, side).addcmul_(part.unflatten(2, (-1, half)), decay)


def _below(scores: Tensor, half: int) -> Tensor:
    """View of the blocks of [G, R, S, C, C] where later halves meet earlier ones: [G, M, R, S, h, h]."""
    blocks = scores.unflatten(-1, (-1, 2, half)).unflatten(3, (-1, 2, half))[:, :, :, :, 1, :, :, 0]
    return blocks.diagonal(dim1=3, dim2=5).movedim(-1, 1)
