"""The part that all delta rules share: memories that first read, then correct what they read. Legend: `shapes.py`.

With a chunk's decays folded into reads and writes, every delta rule has, inside a chunk that starts at state S,

    U   = (I + A)^-1 (X - E S)       what each step adds under its write key, [C, V]
    O   = Q S + M U                  outputs
    S'  = d S + W^T U + J            the next chunk's state, d a diagonal and J a further inflow

where A (below the diagonal) and M (diagonal included) hold the scores of the erasing reads E and of the queries Q
against the write keys W. This is the WY form of Yang et al. 2024 (arXiv 2406.06484, section 3), written for any E.
Eliminating U from the recurrence leaves S' = (d - W^T T E) S + (W^T T X + J) with T = (I + A)^-1: one matrix product
a chunk in sequence, all else in batches over the chunks.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asi_arch.mixers.dispatch import is_fast


class Chunks(NamedTuple):
    """What the core needs. Leading dimensions are [N, BH]."""

    query_scores: Tensor
    """M, [C, C]; entries after the diagonal are ignored."""
    erase_scores: Tensor
    """A, [C, C]; entries from the diagonal on are ignored."""
    queries: Tensor
    """Q, [C, K]."""
    erasers: Tensor
    """E, [C, K]."""
    writes: Tensor
    """W, [C, K]."""
    values: Tensor
    """X, [C, V]."""
    decay: Tensor | None = None
    """d, [K or 1, 1]; None for 1."""
    inflow: Tensor | None = None
    """J, [K, V]; None for 0."""


def delta_core(chunks: Chunks) -> Tensor:
    """Outputs O, [N, BH, C, V]."""
    return _DeltaCore.apply(*chunks) if is_fast() else _eager(chunks)


def _eager(chunks: Chunks) -> Tensor:
    """The plain form: one triangular solve for all chunks, then a loop that carries the state."""
    key_width = chunks.writes.shape[-1]
    attention, below = chunks.query_scores.tril(), chunks.erase_scores.tril(-1)
    rhs = torch.cat([chunks.erasers, chunks.values], dim=-1)
    solved = torch.linalg.solve_triangular(below, rhs, upper=False, unitriangular=True)
    erased, added = solved[..., :key_width], solved[..., key_width:]
    state = torch.zeros_like(chunks.writes[0].mT @ chunks.values[0])
    outputs: list[Tensor] = []
    for n in range(chunks.writes.shape[0]):
        update = added[n] - erased[n] @ state
        outputs.append(chunks.queries[n] @ state + attention[n] @ update)
        state = state if chunks.decay is None else chunks.decay[n] * state
        state = state + chunks.writes[n].mT @ update
        state = state if chunks.inflow is None else state + chunks.inflow[n]
    return torch.stack(outputs)


class _DeltaCore(torch.autograd.Function):
    """The same with a backward pass that reuses T and the states, and solves nothing.

    Leading dimensions are joined, [G, ...], so that each product is one call.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Tensor:
        lead = tensors[0].shape[:2]
        chunks = Chunks(*map(_joined, tensors))
        inverse = _invert_unit_lower(chunks.erase_scores)
        attention = chunks.query_scores.tril()
        states, transitions = _states(inverse, chunks, lead)
        updates = inverse @ torch.baddbmm(chunks.values, chunks.erasers, states, alpha=-1)
        outputs = torch.bmm(chunks.queries, states).baddbmm_(attention, updates)
        ctx.save_for_backward(
            inverse,
            attention,
            chunks.queries,
            chunks.erasers,
            chunks.writes,
            states,
            transitions,
            updates,
            chunks.decay,
        )
        ctx.lead, ctx.has_inflow = lead, chunks.inflow is not None
        return outputs.unflatten(0, lead)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        inverse, attention, queries, erasers, writes, states, transitions, updates, decay = ctx.saved_tensors
        grad = grad.flatten(0, 1)
        # Of U, within the chunk; then of X: `effect`, first without and then with what later chunks ask for.
        local = torch.bmm(attention.mT, grad)
        effect = torch.bmm(inverse.mT, local)
        asked = torch.bmm(queries.mT, grad).baddbmm_(erasers.mT, effect, alpha=-1)
        arriving = _scan_back(asked, transitions, ctx.lead)
        effect = torch.bmm(inverse.mT, local.baddbmm_(writes, arriving))
        taken = effect.neg()
        found = (
            torch.bmm(grad, updates.mT).tril_(),
            torch.bmm(taken, updates.mT).tril_(-1),
            torch.bmm(grad, states.mT),
            torch.bmm(taken, states.mT),
            torch.bmm(updates, arriving.mT),
            effect,
            None if decay is None else (arriving * states).sum_to_size(decay.shape),
            arriving if ctx.has_inflow else None,
        )
        return tuple(x if x is None else x.unflatten(0, ctx.lead) for x in found)


def _joined(x: Any) -> Any:
    return None if x is None else x.flatten(0, 1)


def _invert_unit_lower(below: Tensor) -> Tensor:
    """(I + A)^-1 for matrices whose entries below the diagonal are A; the rest is never read."""
    identity = torch.eye(below.shape[-1], dtype=below.dtype, device=below.device).expand(below.shape)
    return torch.linalg.solve_triangular(below, identity, upper=False, unitriangular=True)


def _states(inverse: Tensor, chunks: Chunks, lead: torch.Size) -> tuple[Tensor, Tensor]:
    """State before each chunk [G, K, V] and the transitions [G, K, K]."""
    spread = torch.bmm(inverse.mT, chunks.writes).mT
    kept = torch.eye(spread.shape[-2], dtype=spread.dtype, device=spread.device)
    if chunks.decay is not None:
        kept = kept * chunks.decay
    transitions = torch.baddbmm(kept, spread, chunks.erasers, alpha=-1)
    arrivals = torch.bmm(spread, chunks.values)
    if chunks.inflow is not None:
        arrivals += chunks.inflow
    states = torch.empty_like(arrivals)
    before, moves, adds = (x.unflatten(0, lead) for x in (states, transitions, arrivals))
    before[0].zero_()
    for n in range(lead[0] - 1):
        torch.baddbmm(adds[n], moves[n], before[n], out=before[n + 1])
    return states, transitions


def _scan_back(asked: Tensor, transitions: Tensor, lead: torch.Size) -> Tensor:
    """Gradient of the state after each chunk [G, K, V]; `asked` is what each chunk itself wants of the one before."""
    arriving = torch.empty_like(asked)
    after, moves, wants = (x.unflatten(0, lead) for x in (arriving, transitions, asked))
    after[-1].zero_()
    for n in range(lead[0] - 1, 0, -1):
        torch.baddbmm(wants[n], moves[n].mT, after[n], out=after[n - 1])
    return arriving
