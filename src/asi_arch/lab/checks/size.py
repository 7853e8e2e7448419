"""Whether all parameters are registered, and the whole model can be fitted to the reference's size."""

from collections.abc import Iterator, Mapping
from functools import partial
from types import CellType, FunctionType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.findings import error, warning
from asi_arch.lab.checks.probe import Probe, candidate_code, forward
from asi_arch.lab.loading import MODULE_NAME
from asi_arch.mixers.model import MlpFit, count_parameters, fit_mlp_width, mixer_parameters

_NAME = "parameters"
_EMPTY = CellType()
_SMALL = 256
"""Constants of up to this many elements are nobody's business."""


class _Hidden(NamedTuple):
    where: str
    value: Tensor


def check_parameters(probe: Probe) -> list[Finding]:
    """Registered before the first call, nothing learned or stored beside them, and the whole model fits the target."""
    mixer = probe.build()
    initial = {name for name, _ in mixer.named_parameters()}
    hidden = list(_hidden_tensors(mixer))
    forward(mixer, probe.normal(1, probe.setting.context, probe.width, stream=14, dtype=torch.float32))
    late = [name for name, _ in mixer.named_parameters() if name not in initial]
    if late:
        message = (
            f"Parameter {late[0]!r} is created by forward and would never be trained; create it in the constructor."
        )
        return [error(_NAME, message)]
    findings = _unregistered(hidden) + _large_buffers(mixer)
    try:
        fit(probe)
    except ValueError as numbers:
        target, tolerance = probe.setting.target_parameters or 0, probe.setting.spec.parameter_tolerance
        smallest = model_size(probe, 0)
        message = f"The model can't have the reference's size: {numbers}; change the widths inside the mixer."
        findings.append(error(_NAME, message, measured=smallest / max(target, 1), limit=1 + tolerance))
    return findings


def mixer_size(probe: Probe) -> int:
    """Parameters of the mixers of all layers."""
    model = probe.setting.model
    with candidate_code("the constructor", {"width": model.width, "heads": model.heads}):
        return mixer_parameters(probe.mixer_class, model)


def model_size(probe: Probe, mlp_width: int) -> int:
    """Parameters of the whole model with an MLP of this width."""
    setting = probe.setting
    return count_parameters(
        mixer_parameters=mixer_size(probe), spec=setting.model, vocabulary=setting.vocabulary, mlp_width=mlp_width
    )


def fit(probe: Probe) -> MlpFit:
    """The MLP's width for the target, or the profile's own where there is none. `ValueError` where nothing fits."""
    setting = probe.setting
    if setting.target_parameters is None:
        return MlpFit(setting.model.mlp_width, model_size(probe, setting.model.mlp_width))
    return fit_mlp_width(
        mixer_parameters=mixer_size(probe),
        target_parameters=setting.target_parameters,
        spec=setting.model,
        vocabulary=setting.vocabulary,
        tolerance=setting.spec.parameter_tolerance,
    )


def _unregistered(hidden: list[_Hidden]) -> list[Finding]:
    found: list[Finding] = []
    for where, value in hidden:
        if value.requires_grad:
            message = f"{where} is learned but not registered; use nn.Parameter, nn.ParameterList or nn.ModuleList."
            found.append(error(_NAME, message, measured=value.numel(), limit=0))
        elif value.numel() > _SMALL:
            message = f"{where} holds {value.numel()} constants that no count sees; make it a parameter or a buffer."
            found.append(error(_NAME, message, measured=value.numel(), limit=_SMALL))
    return found


def _large_buffers(mixer: nn.Module) -> list[Finding]:
    stored = sum(buffer.numel() for buffer in mixer.buffers() if buffer.is_floating_point())
    learned = sum(parameter.numel() for parameter in mixer.parameters())
    if stored <= max(learned, _SMALL):
        return []
    message = (
        "The buffers hold more numbers than the parameters; compute constants from the length of the input instead."
    )
    return [warning(_NAME, message, measured=stored, limit=learned)]


def _hidden_tensors(mixer: nn.Module) -> Iterator[_Hidden]:
    """Tensors that are neither parameters nor buffers: in attributes, on the candidate's classes, in its module."""
    seen: set[int] = {id(tensor) for tensor in (*mixer.parameters(), *mixer.buffers())}
    registered = ("_parameters", "_buffers", "_modules")
    for prefix, module in mixer.named_modules():
        own = {name: value for name, value in vars(module).items() if name not in registered}
        yield from _tensors_in(f"Attribute {prefix}.".replace(" .", " "), own, seen)
    for kind in {type(module) for module in mixer.modules()}:
        if kind.__module__ == type(mixer).__module__:
            yield from _tensors_in(f"Class attribute {kind.__name__}.", vars(kind), seen)
    yield from _tensors_in("Module variable ", getattr(type(mixer).forward, "__globals__", {}), seen)


def _tensors_in(where: str, named: Mapping[str, object], seen: set[int]) -> Iterator[_Hidden]:
    for name, value in named.items():
        for tensor in _unpack(value, depth=3):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield _Hidden(f"{where}{name}", tensor)


def _unpack(value: object, *, depth: int) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif depth and isinstance(value, nn.Module):
        yield from value.parameters()
    elif depth and isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != _EMPTY]
        yield from _unpack([*cells, *(value.__defaults__ or ())], depth=depth)
    elif depth and isinstance(value, partial):
        yield from _unpack([value.func, *value.args, *value.keywords.values()], depth=depth)
    elif depth and type(value).__module__ == MODULE_NAME:
        yield from _unpack(getattr(value, "__dict__", {}), depth=depth - 1)
    elif depth and isinstance(value, dict):
        for part in value.values():
            yield from _unpack(part, depth=depth - 1)
    elif depth and isinstance(value, list | tuple | set):
        for part in value:
            yield from _unpack(part, depth=depth - 1)
