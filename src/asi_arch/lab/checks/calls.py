"""What a mixer does on a later call: it may count, but nothing may follow from it."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import CellType, FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.comparing import Difference, difference
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import Probe, Variant
from asi_arch.lab.loading import MODULE_NAME

_NAME = "repeatable"
_CALLS = 40
_LENGTH = 5
_WOUND = (1_000, 1_000_000)
"""What counters are set to, as if that many calls had been made."""
_MAX_SLOTS = 2000
_DEPTH = 3
_REGISTERED = frozenset({"_parameters", "_buffers", "_modules", "training"})


class Slot(NamedTuple):
    """A place that holds a number between calls."""

    name: str
    value: float
    write: Callable[[Any], None]


def many_calls(probe: Probe, variant: Variant) -> list[Finding]:
    """Forty calls give one output; so does a mixer whose counters are wound forward by thousands and millions."""
    x = probe.normal(1, _LENGTH, probe.width, stream=15, dtype=variant.dtype)
    mixer = probe.mixer(variant)
    iterators = running_iterators(mixer)
    if iterators:
        return [error(_NAME, f"{iterators[0]!r} is an iterator, which remembers earlier calls; make it in forward.")]
    first = probe.call(variant, x, seed=1)
    before = {slot.name: slot.value for slot in slots(mixer)}
    kept = dict(_kept(mixer))
    for call in range(2, _CALLS + 1):
        worst = difference(first, probe.call(variant, x, seed=1), probe.tolerance(variant))
        if worst:
            return [_error(f"on call {call} of the same input", worst, variant)]
    changed = [name for name, content in _kept(mixer) if kept.get(name) != content]
    if changed:
        what = f"{changed[0][0].upper()}{changed[0][1:]} changes from call to call of the same input"
        return [error(_NAME, f"{what}; keep nothing between calls but what is cached for a length.")]
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
    """Numbers that outlive a call: in the mixer, its parts, class and module, and in what is held there."""
    kind = type(mixer)
    found = [slot for where, held in _places(mixer) for slot in _held_by(where, held, _writer(kind, held), _DEPTH)]
    yield from found[:_MAX_SLOTS]


def _places(mixer: nn.Module) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where something can outlive a call, in words."""
    kind = type(mixer)
    for prefix, part in mixer.named_modules():
        yield f"attribute {prefix}.".replace(" .", " "), vars(part)
    yield f"class attribute {kind.__name__}.", vars(kind)
    yield "module variable ", getattr(kind.forward, "__globals__", {})


def _kept(mixer: nn.Module) -> Iterator[tuple[str, object]]:
    """What can't be wound forward, by name: texts, truths, the sizes of containers, and sums of larger tensors."""
    for where, held in _places(mixer):
        for key, value in list(held.items()):
            if key not in _REGISTERED and not key.startswith("__"):
                yield f"{where}{key}", _content_of(value)


def _content_of(value: object) -> object:
    match value:
        case bool() | str() | bytes():
            return value
        case list() | dict() | set() | tuple() | deque():
            return len(value)
        case Tensor() if value.numel() > 1 and not value.requires_grad:
            return repr(value.detach().sum().item())
        case _:
            return None


Writer = Callable[[Any], Callable[[Any], None]]


def _into(holder: Any) -> Writer:
    return lambda key: lambda value: holder.__setitem__(key, value)


def _onto(owner: Any) -> Writer:
    return lambda key: lambda value: setattr(owner, key, value)


def _writer(kind: type, held: Mapping[str, Any]) -> Writer:
    """Into a dictionary, or onto the class, whose own can't be written to."""
    return _into(held) if isinstance(held, dict) else _onto(kind)


def _held_by(where: str, held: Mapping[Any, Any], write: Writer, depth: int) -> Iterator[Slot]:
    for key, value in list(held.items()):
        if key in _REGISTERED or (isinstance(key, str) and key.startswith("__")):
            continue
        yield from _numbers_in(f"{where}{key}", value, write(key), depth)


def _numbers_in(name: str, value: object, write: Callable[[Any], None], depth: int) -> Iterator[Slot]:
    """Of one value: itself, or what it holds."""
    match value:
        case bool():
            return
        case int() | float():
            yield Slot(name, value, write)
        case Tensor() if value.numel() == 1 and not value.requires_grad:
            yield Slot(name, float(value), lambda number: write(torch.full_like(value, number)))
        case dict() if depth and len(value) < _MAX_SLOTS:
            yield from _held_by(f"{name}.", value, _into(value), depth - 1)
        case list() if depth and len(value) < _MAX_SLOTS:
            yield from _held_by(f"{name}.", dict(enumerate(value)), _into(value), depth - 1)
        case FunctionType() if depth and value.__module__ == MODULE_NAME:
            yield from _held_by(f"{name}.", vars(value), _onto(value), depth - 1)
            for cell in value.__closure__ or ():
                yield from _numbers_in(f"{name} (enclosed)", _content(cell), _replacing(cell), depth - 1)
        case _ if depth and type(value).__module__ == MODULE_NAME and not isinstance(value, nn.Module | type):
            kept = {**vars(type(value)), **getattr(value, "__dict__", {})}
            yield from _held_by(f"{name}.", kept, _onto(value), depth - 1)
        case _:
            return


def _content(cell: CellType) -> object:
    return cell.cell_contents if cell != CellType() else None


def _replacing(cell: CellType) -> Callable[[Any], None]:
    def write(value: Any) -> None:
        cell.cell_contents = value

    return write


def running_iterators(mixer: nn.Module) -> list[str]:
    """Names of attributes and module variables that are iterators: each remembers how often it was asked."""
    variables = getattr(type(mixer).forward, "__globals__", {})
    held = [(name, value) for part in mixer.modules() for name, value in vars(part).items()]
    return [name for name, value in [*held, *vars(type(mixer)).items(), *variables.items()] if _is_iterator(value)]


def _is_iterator(value: object) -> bool:
    return isinstance(value, Iterator)
