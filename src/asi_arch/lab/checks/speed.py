"""How fast one layer is at several lengths. Timed by the candidate's own process, so for reading only: no gate asks."""

# B batch, T time, D width

from collections.abc import Callable

import torch

from asi_arch.domain.outcome import Speed
from asi_arch.lab.checks.findings import Fault
from asi_arch.lab.checks.probe import Probe, Variant, backward, forward

_VARIANT = Variant(torch.float32, is_training=True)
_TIMES = 2
"""The fastest counts; what is cached by length was filled by the check of growth."""
_MOST_S = 1.0
"""Of CPU time in all; of a large model the longer lengths are left out."""


def speeds(probe: Probe, clock: Callable[[], float]) -> tuple[Speed, ...]:
    """Forward and backward of batches [B, T, D] with equally many tokens, T being the lengths of the check of growth.

    `clock` tells CPU seconds. What the candidate's code raises ends the list.
    """
    lengths, began = probe.setting.spec.growth_lengths, clock()
    found: list[Speed] = []
    for length in lengths:
        if clock() - began > _MOST_S:
            break
        batch = max(1, lengths[-1] // length)
        try:
            seconds = min(_timed(probe, batch, length, clock) for _ in range(_TIMES))
        except Fault:
            break
        found.append(Speed(length=length, batch=batch, tokens_per_s=batch * length / max(seconds, 1e-9)))
    return tuple(found)


def _timed(probe: Probe, batch: int, length: int, clock: Callable[[], float]) -> float:
    x = probe.normal(batch, length, probe.width, stream=12, dtype=torch.float32).requires_grad_()
    weights = probe.normal(batch, length, probe.width, stream=13, dtype=torch.float32)
    mixer = probe.mixer(_VARIANT)
    mixer.zero_grad(set_to_none=True)
    began = clock()
    backward(forward(mixer, x), weights)
    seconds = clock() - began
    mixer.zero_grad(set_to_none=True)
    return seconds
