"""The model's own parts around a mixer: SwiGLU and the scored head. Legend: D width, M hidden width, V vocabulary.

Both are limited by memory, not arithmetic. So the fast forms take some rows at a time through all their steps, and
what lies between the steps never leaves the cache.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast

_BLOCK_ELEMENTS = 1 << 17
"""Elements of the widest tensor of a block: half a megabyte in float32, a fraction of a core's second-level cache."""
_FEWEST_ROWS = 128


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x))     (Shazeer 2020, arXiv 2002.05202), gate and up in one projection."""

    def __init__(self, width: int, hidden: int):
        """[..., width] -> [..., width] through `hidden` channels: 3 * width * hidden parameters."""
        super().__init__()
        self.gate_up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] -> [..., D]."""
        if _suits_blocks(x):
            return _SwiGLU.apply(x, self.gate_up.weight, self.down.weight)
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


def cross_entropy(hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    """Mean of -log softmax(hidden @ head^T) at the targets: [S, D], [V, D], [S] -> scalar, in nats."""
    if _suits_blocks(hidden):
        return _CrossEntropy.apply(hidden, head, targets)
    return F.cross_entropy(hidden @ head.T, targets)


def _suits_blocks(x: Tensor) -> bool:
    """Elsewhere than on a CPU whole operations are better, and without gradients there is little to gain."""
    return is_fast() and x.device.type == "cpu" and torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")


def _block(rows: int, width: int) -> int:
    return min(max(_BLOCK_ELEMENTS // width, _FEWEST_ROWS), max(rows, 1))


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
        rows = x.flatten(0, -2)
        both, y = rows.new_empty(rows.shape[0], gate_up.shape[0]), torch.empty_like(rows)
        ctx.size = _block(*both.shape)
        for x_part, both_part, y_part in zip(*(z.split(ctx.size) for z in (rows, both, y)), strict=True):
            torch.mm(x_part, gate_up.T, out=both_part)
            gate, up = both_part.chunk(2, dim=-1)
            torch.mm(F.silu(gate).mul_(up), down.T, out=y_part)
        ctx.save_for_backward(rows, both, gate_up, down)
        return y.view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, both, gate_up, down = ctx.saved_tensors
        grad_x, grad_gate_up, grad_down = torch.empty_like(rows), torch.zeros_like(gate_up), torch.zeros_like(down)
        grad_rows = grad.reshape(rows.shape)
        parts = (z.split(ctx.size) for z in (rows, both, grad_rows, grad_x))
        for x_part, both_part, grad_part, grad_x_part in zip(*parts, strict=True):
            gate, up = both_part.chunk(2, dim=-1)
            opened, grad_product = F.silu(gate), grad_part @ down
            grad_both = torch.cat(
                [torch.ops.aten.silu_backward(grad_product * up, gate), grad_product * opened], dim=-1
            )
            grad_down.addmm_(grad_part.T, opened.mul_(up))
            grad_gate_up.addmm_(grad_both.T, x_part)
            torch.mm(grad_both, gate_up, out=grad_x_part)
        return grad_x.view(grad.shape), grad_gate_up, grad_down


class _CrossEntropy(torch.autograd.Function):
    """Head and loss in one; the gradients are formed on the way forward, while a block's logits are at hand."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
        loss, grad_hidden, grad_head = hidden.new_zeros(()), torch.empty_like(hidden), torch.zeros_like(head)
        size = _block(hidden.shape[0], head.shape[0])
        for rows, row_targets, grad_rows in zip(*(z.split(size) for z in (hidden, targets, grad_hidden)), strict=True):
            logits, here = rows @ head.T, row_targets.unsqueeze(1)
            probabilities = logits.softmax(-1)
            # The likeliest entry has a probability of at least 1/V, so its logarithm gives the normaliser exactly.
            loss += (logits.amax(-1) - probabilities.amax(-1).log()).sum() - logits.gather(1, here).sum()
            error = probabilities.scatter_add_(1, here, torch.full_like(here, -1, dtype=logits.dtype))
            torch.mm(error, head, out=grad_rows)
            grad_head.addmm_(error.T, rows)
        ctx.save_for_backward(grad_hidden, grad_head)
        ctx.count = targets.shape[0]
        return loss / targets.shape[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        grad_hidden, grad_head = ctx.saved_tensors
        share = grad / ctx.count
        return grad_hidden * share, grad_head * share, None
