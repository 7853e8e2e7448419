"""What a mixer does on a later call: it may count, but nothing may follow from it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torch import nn

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.comparing import Difference, difference
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import Probe, Variant

_NAME = "repeatable"
_CALLS = 40
_LENGTH = 5
_WOUND = (1_000, 1_000_000)
"""What counters are set to, as if that many calls had been made."""
_MAX_SLOTS = 2000


class Slot(NamedTuple):
    """A place that holds a number between calls."""

    name: str
    value: float
    write: Callable[[Any], None]


def many_calls(probe: Probe, variant: Variant) -> list[Finding]:
    """Forty calls give one output; so does a mixer whose counters are wound forward by thousands and millions."""
    x = probe.normal(1, _LENGTH, probe.width, stream=15, dtype=variant.dtype)
    mixer = probe.mixer(variant)
    first = probe.call(variant, x, seed=1)
    before = {slot.name: slot.value for slot in slots(mixer)}
    for call in range(2, _CALLS + 1):
        worst = difference(first, probe.call(variant, x, seed=1), probe.tolerance(variant))
        if worst:
            return [_error(f"on call {call} of the same input", worst, variant)]
    for wound in _WOUND:
        moved = [slot for slot in slots(mixer) if before.get(slot.name, slot.value) != slot.value]
        for slot in moved:
            slot.write(type(slot.value)(wound))
        worst = difference(first, probe.call(variant, x, seed=1), probe.tolerance(variant)) if moved else None
        if worst:
            return [_error(f"when {moved[0].name}, which counts calls, stood at {wound}", worst, variant)]
    return []


def _error(when: str, worst: Difference, variant: Variant) -> Finding:
    message = (
        f"The output is another one {when}, from position {worst.position} on ({variant});"
        " forward must depend on its input and parameters only: keep nothing between calls."
    )
    return error(_NAME, message, measured=worst.size, limit=worst.limit, position=worst.position, length=_LENGTH)


def slots(mixer: nn.Module) -> Iterator[Slot]:
    """Numbers in attributes of the mixer and its parts, in its class, and in the variables of its module."""
    count = 0
    for owner, names, write in _namespaces(mixer):
        for slot in _numbers_in(owner, names, write, depth=2):
            count += 1
            if count > _MAX_SLOTS:
                return
            yield slot


Writer = Callable[[Any], Callable[[Any], None]]


def _namespaces(mixer: nn.Module) -> Iterator[tuple[str, dict[Any, Any], Writer]]:
    for prefix, module in mixer.named_modules():
        held = vars(module)
        own = {name: value for name, value in held.items() if not name.startswith("_") or module is mixer}
        yield f"attribute {prefix}.".replace(" .", " "), own, _into(held)
    kind = type(mixer)
    yield f"class attribute {kind.__name__}.", dict(vars(kind)), lambda key: lambda value: setattr(kind, key, value)
    variables = getattr(kind.forward, "__globals__", {})
    own = {name: value for name, value in variables.items() if not name.startswith("__")}
    yield "module variable ", own, _into(variables)


def _into(holder: Any) -> Writer:
    return lambda key: lambda value: holder.__setitem__(key, value)


def _numbers_in(where: str, held: dict[Any, Any], write: Writer, *, depth: int) -> Iterator[Slot]:
    for key, value in held.items():
        name = f"{where}{key}"
        if type(value) in (int, float):
            yield Slot(name, value, write(key))
        elif depth and isinstance(value, dict) and len(value) < _MAX_SLOTS:
            yield from _numbers_in(f"{name}.", dict(value), _into(value), depth=depth - 1)
        elif depth and isinstance(value, list) and len(value) < _MAX_SLOTS:
            yield from _numbers_in(f"{name}.", dict(enumerate(value)), _into(value), depth=depth - 1)
