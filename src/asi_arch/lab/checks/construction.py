"""Whether the source loads, and every layer of the model can be built from it."""

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import Probe
from asi_arch.lab.checks.static import examine
from asi_arch.lab.loading import LoadFailure


def check_static(probe: Probe) -> list[Finding]:
    """What can be told from the text alone, before any of it runs."""
    return [] if probe.allowed_imports is None else examine(probe.source, probe.allowed_imports)


def check_load(probe: Probe) -> list[Finding]:
    """Syntax, allowed imports, exactly one class `Mixer`: all that the loader insists on."""
    try:
        _ = probe.mixer_class
    except LoadFailure as failure:
        where = "" if failure.line is None else f" (line {failure.line})"
        return [error("load", f"The source can't be used: {failure}{where}.", position=failure.line)]
    return []


def check_construct(probe: Probe) -> list[Finding]:
    """A mixer for every layer, in float32, with all of its parameters in place."""
    for layer in range(probe.setting.model.depth):
        mixer = probe.build(layer)
        problem = _unfit_parameter(mixer)
        if problem:
            return [error("construct", problem, layer=layer)]
    return []


def _unfit_parameter(mixer: nn.Module) -> str:
    for name, parameter in mixer.named_parameters():
        if isinstance(parameter, UninitializedParameter):
            return f"Parameter {name!r} has no size until the first call; give its sizes in the constructor."
        if parameter.dtype is not torch.float32:
            return f"Parameter {name!r} is {parameter.dtype}; create it in float32, the model chooses the precision."
        if not parameter.isfinite().all():
            return f"Parameter {name!r} starts with values that are not finite; initialise it."
    return ""
