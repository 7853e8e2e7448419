"""A mixer is a function of its input: no state between calls, no noise, no hidden change, the same in every mode."""

# B batch, T time, D width

import torch
from torch import Tensor, nn

from asi_arch.domain.outcome import Finding, Severity
from asi_arch.lab.checks.calls import many_calls
from asi_arch.lab.checks.comparing import Difference, difference
from asi_arch.lab.checks.findings import error, warning
from asi_arch.lab.checks.probe import Probe, Variant, forward

_NAME = "repeatable"
_SHORT = 33


def check_repeatable(probe: Probe) -> list[Finding]:
    """Same input, same output, in both modes, whatever was computed in between."""
    evaluation = Variant(probe.exact, is_shaken=True)
    found: list[Finding] = []
    for variant in (evaluation, evaluation._replace(is_training=True)):
        found += _mutation(probe, variant)
        if not any(finding.severity is Severity.ERROR for finding in found):
            found += _memory(probe, variant) or many_calls(probe, variant) or _noise(probe, variant)
        if any(finding.severity is Severity.ERROR for finding in found):
            return found
    return found + _history(probe, evaluation)


def _history(probe: Probe, variant: Variant) -> list[Finding]:
    """What was loaded a moment ago gives the same output at its first call as what has seen many inputs."""
    for length in (_SHORT, probe.setting.context):
        a, _ = _inputs(probe, variant, length)
        worst = _differs(probe, variant, probe.call(variant, a, seed=1), probe.reloaded().call(variant, a, seed=1))
        if worst:
            message = (
                f"The first call after loading gave another output than a later one, from position {worst.position} on;"
                " keep nothing of the first input, in a cache of a function or anywhere else."
            )
            return [_error(_NAME, message, worst, length)]
    return []


def check_modes(probe: Probe) -> list[Finding]:
    """Training computes what evaluation does, unless it uses dropout; recording gradients changes nothing."""
    if probe.is_stochastic:
        return []
    evaluation = Variant(probe.exact, is_shaken=True)
    for length in (_SHORT, probe.setting.context):
        x, _ = _inputs(probe, evaluation, length)
        expected = probe.call(evaluation, x)
        with torch.enable_grad():
            recorded = forward(probe.mixer(evaluation), x).y.detach()
        trained = probe.call(evaluation._replace(is_training=True), x)
        with torch.no_grad():
            unrecorded = forward(probe.mixer(evaluation._replace(is_training=True)), x).y
        for what, seen in (
            ("in training mode than in evaluation", trained),
            ("with gradients than without", recorded),
            ("in training mode without gradients than in evaluation", unrecorded),
        ):
            worst = _differs(probe, evaluation, expected, seen)
            if worst:
                message = (
                    f"The mixer computes something else {what}, from position {worst.position} on; do the same in both."
                )
                return [_error("modes", message, worst, length)]
    return []


def _inputs(probe: Probe, variant: Variant, length: int) -> tuple[Tensor, Tensor]:
    """Two inputs, of two samples where they are short."""
    batch = 2 if length == _SHORT else 1
    a, b = probe.normal(2, batch, length, probe.width, stream=7, dtype=variant.dtype)
    return a, b


def _differs(probe: Probe, variant: Variant, expected: Tensor, seen: Tensor) -> Difference | None:
    return difference(expected, seen, probe.tolerance(variant))


def _memory(probe: Probe, variant: Variant) -> list[Finding]:
    """With equal seeds, neither the call before nor another input, longer or shorter, may change the output."""
    for length in (_SHORT, probe.setting.context):
        a, b = _inputs(probe, variant, length)
        first = probe.call(variant, a, seed=1)
        for other in (b, b[:, : length // 2]) if length == _SHORT else (b,):
            probe.call(variant, other, seed=2)
            worst = _differs(probe, variant, first, probe.call(variant, a, seed=1))
            if worst:
                return [_memory_error(worst, variant, length)]
    return []


def _memory_error(worst: Difference, variant: Variant, length: int) -> Finding:
    message = (
        f"The same input gave another output on a later call, from position {worst.position} on ({variant});"
        " forward must depend on its input and parameters only: keep nothing between calls."
    )
    return _error(_NAME, message, worst, length)


def _noise(probe: Probe, variant: Variant) -> list[Finding]:
    """Other seeds: an error in evaluation, a warning in training, where dropout is a known thing."""
    a, _ = _inputs(probe, variant, _SHORT)
    worst = _differs(probe, variant, probe.call(variant, a, seed=1), probe.call(variant, a, seed=2))
    if worst is None:
        return []
    if variant.is_training:
        probe.is_stochastic = True
        return [warning(_NAME, "The output is random in training mode, as with dropout; runs will be noisier.")]
    message = f"The output is random ({variant}); leave randomness out, or use it in training mode only."
    return [_error(_NAME, message, worst, _SHORT)]


def _mutation(probe: Probe, variant: Variant) -> list[Finding]:
    """Neither the input nor parameters nor buffers may be written to; other attributes should not follow the input."""
    mixer = probe.mixer(variant)
    a, b = _inputs(probe, variant, _SHORT)
    probe.call(variant, a)
    before, plain = _state(mixer), _numbers(mixer)
    probe.call(variant, a)
    handed = b.clone()
    probe.call(variant, handed)
    if not torch.equal(handed, b):
        return [error(_NAME, "forward changes its input in place; the residual path needs it: work on a copy.")]
    changed = [
        name for name, value in _state(mixer).items() if name not in before or not torch.equal(value, before[name])
    ]
    if changed:
        return [
            error(_NAME, f"forward writes to {changed[0]!r} ({variant}); only the optimizer may change parameters.")
        ]
    moved = [name for name, text in _numbers(mixer).items() if plain.get(name) != text]
    if moved and not variant.is_training:
        message = f"Attribute {moved[0]!r} changes from call to call; a mixer should keep nothing between calls."
        return [warning(_NAME, message)]
    return []


def _state(mixer: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in (*mixer.named_parameters(), *mixer.named_buffers())}


def _numbers(mixer: nn.Module) -> dict[str, str]:
    """Plain numbers among the attributes, and the sums of plain tensors, in digits."""
    found: dict[str, str] = {}
    for prefix, module in mixer.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, int | float | Tensor):
                number = value.detach().double().sum().item() if isinstance(value, Tensor) else value
                found[f"{prefix}.{name}".strip(".")] = repr(number)
    return found


def _error(check: str, message: str, worst: Difference, length: int) -> Finding:
    return error(check, message, measured=worst.size, limit=worst.limit, position=worst.position, length=length)
