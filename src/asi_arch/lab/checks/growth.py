"""Work and memory of one layer, counted at several lengths: they must grow slower than the square of the length."""

# T time, D width

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.counting import WorkCounter
from asi_arch.lab.checks.findings import error, warning
from asi_arch.lab.checks.probe import Probe, Variant, backward, forward

_NAME = "growth"
_VARIANT = Variant(torch.float32, is_training=True)
_SHARE = 0.1
"""A kind of operation with a smaller part of the work is not looked at by itself."""
_LINEAR = "use a recurrence, chunks with a carried state, or a fixed window instead of comparing all pairs of tokens"


class Growth(NamedTuple):
    """Exponents e of quantity ~ length**e between the two longest lengths, and of the line through all of them."""

    last: float
    overall: float


def count(probe: Probe, length: int) -> WorkCounter:
    """One layer, batch of one, forward and backward; an uncounted call before it fills what is cached by length."""
    if length not in probe.counts:
        x = probe.normal(1, length, probe.width, stream=12, dtype=torch.float32)
        weights = probe.normal(1, length, probe.width, stream=13, dtype=torch.float32)
        probe.call(_VARIANT, x)
        mixer = probe.mixer(_VARIANT)
        mixer.zero_grad(set_to_none=True)
        x.requires_grad_()
        with WorkCounter() as counter:
            reply = forward(mixer, x)
            counter.is_backward = True
            backward(reply, weights)
        mixer.zero_grad(set_to_none=True)
        probe.counts[length] = counter
    return probe.counts[length]


def growth(lengths: Sequence[int], amounts: Sequence[float]) -> Growth:
    """Exponents of `amounts` at `lengths` (ascending, at least two); zero amounts count as one."""
    x = [math.log(length) for length in lengths]
    y = [math.log(max(amount, 1.0)) for amount in amounts]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / sum((a - x_mean) ** 2 for a in x)
    return Growth((y[-1] - y[-2]) / (x[-1] - x[-2]), slope)


def work_growth(probe: Probe) -> Growth:
    """Of flops and written elements together, but for the bookkeeping of gradients."""
    lengths = probe.setting.spec.growth_lengths
    return growth(lengths, [count(probe, length).work.total() for length in lengths])


def memory_growth(probe: Probe) -> Growth:
    """Of the largest tensor."""
    lengths = probe.setting.spec.growth_lengths
    return growth(lengths, [count(probe, length).largest for length in lengths])


def check_growth(probe: Probe) -> list[Finding]:
    """All the work, every kind of operation with a tenth of it, and the largest tensor, each by itself.

    The kinds are looked at because wide projections would hide a quadratic part at the lengths that can be tried. What
    only the taking together of gradients costs is told and accepted: a loop over tokens or chunks is a recurrence.
    """
    limit = probe.setting.spec.growth_exponent
    count(probe, probe.setting.context)
    steep = _steep_operations(probe)
    work, memory = max(work_growth(probe)), max(memory_growth(probe))
    found: list[Finding] = []
    if steep or work > limit:
        statement = f"The work grows as length**{work:.2f}"
        statement += "".join(f", in `{name}` as length**{value:.2f}" for name, value in list(steep.items())[:1])
        found.append(_error(probe, f"{statement}; {_LINEAR}", max([work, *steep.values()])))
    if memory > limit:
        found.append(_error(probe, f"The largest tensor grows as length**{memory:.2f}; {_LINEAR}", memory))
    return found + _bookkeeping(probe)


def _bookkeeping(probe: Probe) -> list[Finding]:
    """A warning where adding up gradients is a noticeable part of the longest length's work, and steep."""
    spec = probe.setting.spec
    counters = [count(probe, length) for length in spec.growth_lengths]
    amounts = [counter.bookkeeping.total() for counter in counters]
    exponent = growth(spec.growth_lengths[-2:], amounts[-2:]).last
    if exponent <= spec.growth_exponent or amounts[-1] < _SHARE * counters[-1].work.total():
        return []
    message = (
        f"Gradients are added up at a cost that grows as length**{exponent:.2f}: indexing in a loop makes a gradient of"
        " full length at each step; loop over `x.unbind(1)` or `x.split(size, 1)` instead, which trains faster."
    )
    return [warning(_NAME, message, measured=exponent, limit=spec.growth_exponent)]


def _steep_operations(probe: Probe) -> dict[str, float]:
    """Exponents above the limit, of operations with a noticeable share of the longest length's work; largest first."""
    spec = probe.setting.spec
    *_, shorter, longest = (count(probe, length).work for length in spec.growth_lengths)
    heavy = [name for name, work in longest.most_common() if work >= _SHARE * longest.total()]
    last = {name: growth(spec.growth_lengths[-2:], [shorter[name], longest[name]]).last for name in heavy}
    return {name: exponent for name, exponent in last.items() if exponent > spec.growth_exponent}


def _error(probe: Probe, statement: str, measured: float) -> Finding:
    lengths, limit = probe.setting.spec.growth_lengths, probe.setting.spec.growth_exponent
    message = f"{statement} (measured up to {lengths[-1]} tokens, at most length**{limit:g} is accepted)."
    return error(_NAME, message, measured=measured, limit=limit, shortest=lengths[0], longest=lengths[-1])
