"""`step`, where a mixer offers it: one token at a time must give what `forward` gives."""

# B batch, T time, D width

import inspect
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.comparing import difference
from asi_arch.lab.checks.findings import Fault, error, warning
from asi_arch.lab.checks.probe import Probe, Variant, candidate_code

_NAME = "step"
_STEPS = 40
_EARLY = 32
"""From here on the state must not grow any more."""


def check_step(probe: Probe) -> list[Finding]:
    """`step(x_t [B, D], state) -> (y_t [B, D], state)`, from state None, against `forward`; the state may not grow."""
    variant = Variant(probe.exact, is_shaken=True)
    mixer = probe.mixer(variant)
    step = getattr(mixer, "step", None)
    if not inspect.ismethod(step):
        return []
    x = probe.normal(2, _STEPS, probe.width, stream=16, dtype=variant.dtype)
    outputs, sizes = _stepped(step, x)
    worst = difference(probe.call(variant, x), outputs, probe.tolerance(variant))
    if worst:
        message = (
            f"`step` gives another output than `forward` at position {worst.position} ({variant});"
            " make both compute the same, from a state of None on, or leave `step` out."
        )
        return [error(_NAME, message, measured=worst.size, limit=worst.limit, position=worst.position, length=_STEPS)]
    if sizes[-1] > sizes[_EARLY]:
        message = (
            f"The state of `step` grows: {sizes[_EARLY]} numbers after {_EARLY} tokens, {sizes[-1]} after {_STEPS}."
        )
        return [warning(_NAME, message, measured=sizes[-1], limit=sizes[_EARLY])]
    return []


def _stepped(step: Callable[..., Any], x: Tensor) -> tuple[Tensor, list[int]]:
    """Outputs [B, T, D] and the number of elements of the state after every token."""
    state: Any = None
    outputs: list[Tensor] = []
    sizes: list[int] = []
    with torch.no_grad(), candidate_code("step", {"batch": x.shape[0], "width": x.shape[2]}):
        for x_t in x.unbind(1):
            y_t, state = step(x_t, state)
            outputs.append(y_t)
            sizes.append(_elements(state))
    if any(not isinstance(y, Tensor) or y.shape != x[:, 0].shape for y in cast("list[object]", outputs)):
        raise Fault("`step` must return (y_t, state) with y_t of the shape of x_t, [batch, width].")
    return torch.stack(outputs, 1), sizes


def _elements(state: object) -> int:
    if isinstance(state, Tensor):
        return state.numel()
    if isinstance(state, dict):
        return sum(map(_elements, state.values()))
    return sum(map(_elements, state)) if isinstance(state, tuple | list) else 0
