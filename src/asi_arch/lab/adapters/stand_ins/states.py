"""Initial and final states, and rows packed into one, for operators that only know whole rows.

A memory S of K keys is what K steps leave in it that write the rows of S under the unit vectors, and it is what K
queries by the unit vectors read: both are put around the tokens. No operator has to know of it.

Legend: B batch, T time, H heads, K key width, V value width, N packed rows.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

Op = Callable[..., Tensor]


class Tokens(NamedTuple):
    """Queries and keys [B, T, H, K], values [B, T, H, V], and gates [B, T, H] or [B, T, H, K]."""

    q: Tensor
    k: Tensor
    v: Tensor
    gates: tuple[Tensor, ...]


class Gate(NamedTuple):
    """Which value of a gate keeps the memory as it is when a token is written, and when one is only read."""

    writing: float
    reading: float


STRENGTH = Gate(writing=1.0, reading=0.0)
DECAY = Gate(writing=0.0, reading=0.0)


class Request(NamedTuple):
    """What the interface asks for beside the output. `initial` is [B, H, K, V]; [N, H, K, V] for packed rows."""

    initial: Tensor | None = None
    wants_final: bool = False
    cu_seqlens: Tensor | None = None
    head_first: bool = False


def run(op: Op, tokens: Tokens, gates: tuple[Gate, ...], request: Request) -> tuple[Tensor, Tensor | None]:
    """The output [B, T, H, V] of `op(q, k, v, *gates)` and, where wanted, the final state, shaped as the initial one.

    With `head_first`, tokens and output have heads before time. Raises `ValueError` for more than one packed row.
    """
    if request.head_first:
        o, state = run(op, _swapped(tokens), gates, request._replace(head_first=False))
        return o.transpose(1, 2), state
    if request.cu_seqlens is not None:
        return _packed(op, tokens, gates, request, request.cu_seqlens)
    length = tokens.q.shape[1]
    if request.initial is not None:
        tokens = _after(request.initial.to(tokens.q), tokens, gates)
    start = tokens.q.shape[1] - length
    if request.wants_final:
        tokens = _before_reading(tokens, gates)
    o = op(tokens.q, tokens.k, tokens.v, *tokens.gates)
    final = o[:, start + length :].transpose(1, 2) if request.wants_final else None
    return o[:, start : start + length], final


def _packed(
    op: Op, tokens: Tokens, gates: tuple[Gate, ...], request: Request, boundaries: Tensor
) -> tuple[Tensor, Tensor | None]:
    if tokens.q.shape[0] != 1:
        raise ValueError(f"with cu_seqlens all rows must be packed into one, got {tokens.q.shape[0]}")
    outputs: list[Tensor] = []
    finals: list[Tensor] = []
    edges = boundaries.tolist()
    for row, (begin, end) in enumerate(pairwise(edges)):
        initial = None if request.initial is None else request.initial[row : row + 1]
        q, k, v = (x[:, begin:end] for x in tokens[:3])
        part = Tokens(q, k, v, tuple(gate[:, begin:end] for gate in tokens.gates))
        o, final = run(op, part, gates, Request(initial, request.wants_final))
        outputs.append(o)
        finals += [] if final is None else [final]
    return torch.cat(outputs, dim=1), torch.cat(finals) if finals else None


def _after(state: Tensor, tokens: Tokens, gates: tuple[Gate, ...]) -> Tokens:
    """Tokens before which K steps have written `state` [B, H, K, V]."""
    q, k, v = tokens[:3]
    written = state.transpose(1, 2)
    keys = _units(k)
    return Tokens(
        torch.cat([torch.zeros_like(keys), q], dim=1),
        torch.cat([keys, k], dim=1),
        torch.cat([written, v], dim=1),
        tuple(
            torch.cat([_constant(x, k.shape[-1], gate.writing), x], dim=1)
            for x, gate in zip(tokens.gates, gates, strict=True)
        ),
    )


def _before_reading(tokens: Tokens, gates: tuple[Gate, ...]) -> Tokens:
    """Tokens after which K steps read the memory by the unit vectors."""
    q, k, v = tokens[:3]
    queries = _units(q)
    return Tokens(
        torch.cat([q, queries], dim=1),
        torch.cat([k, torch.zeros_like(queries)], dim=1),
        torch.cat([v, v.new_zeros(v.shape[0], k.shape[-1], *v.shape[2:])], dim=1),
        tuple(
            torch.cat([x, _constant(x, k.shape[-1], gate.reading)], dim=1)
            for x, gate in zip(tokens.gates, gates, strict=True)
        ),
    )


def _units(x: Tensor) -> Tensor:
    """The K unit vectors as K steps of every row and head: [B, K, H, K]."""
    batch, _, heads, width = x.shape
    return torch.eye(width, dtype=x.dtype, device=x.device)[None, :, None].expand(batch, width, heads, width)


def _constant(gate: Tensor, steps: int, value: float) -> Tensor:
    return gate.new_full((gate.shape[0], steps, *gate.shape[2:]), value)


def _swapped(tokens: Tokens) -> Tokens:
    q, k, v = (x.transpose(1, 2) for x in tokens[:3])
    return Tokens(q, k, v, tuple(gate.transpose(1, 2) for gate in tokens.gates))
