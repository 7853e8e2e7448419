"""What the registry holds: one op in all its forms, and the choice among them. Legend: `shapes.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from asi_arch.mixers.dispatch import Implementation, current
from asi_arch.mixers.ops import fla

Form = Callable[..., Tensor]
_HALF = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Op:
    """One op. Every form takes the same arguments and returns [B, T, H, V].

    `layout` names the last dimension of each tensor argument in turn: K or V for [B, T, H, K] and [B, T, H, V], H for
    [B, T, H]. `naive` is the recurrence, step by step, in any dtype: the definition. `chunked` works on chunks of time
    and picks its backward pass by `Implementation`. `fla` calls flash-linear-attention; None where it has no
    counterpart whose conventions are known.
    """

    name: str
    layout: str
    naive: Form
    chunked: Form
    fla: Form | None = None

    def __call__(self, *tensors: Tensor, **options: Any) -> Tensor:
        """Run the form that the context, the device and the dtype ask for.

        Raises `ValueError` for a tensor of another shape than the layout's: none is broadcast.
        """
        self._check_shapes(tensors)
        if current() is Implementation.NAIVE:
            return self.naive(*tensors, **options)
        has_options = any(value is not None for value in options.values())
        if self.fla is not None and not has_options and _suits_fla(tensors[0]):
            return self.fla(*tensors)
        return _in_full_precision(self.chunked, tensors, options)

    def _check_shapes(self, tensors: tuple[Tensor, ...]) -> None:
        heads = tuple(tensors[0].shape[:3])
        widths = {"H": (), "K": tensors[0].shape[3:], "V": tensors[self.layout.index("V")].shape[3:]}
        for number, (letter, x) in enumerate(zip(self.layout, tensors, strict=True), start=1):
            expected = (*heads, *widths[letter])
            if tuple(x.shape) != expected or len(expected) != (3 if letter == "H" else 4):
                names = "[B, T, H]" if letter == "H" else f"[B, T, H, {letter}]"
                raise ValueError(f"{self.name}: tensor {number} must be {names} = {expected}, got {tuple(x.shape)}")


def _suits_fla(q: Tensor) -> bool:
    """Its kernels take half precision only, and refuse inputs with fewer steps than heads as a likely mistake."""
    if current() is not Implementation.FAST or not q.is_cuda or q.dtype not in _HALF:
        return False
    return q.shape[1] >= q.shape[2] and fla.is_installed()


def _in_full_precision(form: Form, tensors: tuple[Tensor, ...], options: dict[str, Any]) -> Tensor:
    """The triangular solve and the states need float32 at least; the result has the dtype of the first tensor."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device) and all(x.dtype not in _HALF for x in tensors):
        return form(*tensors, **options)
    raised = {name: value.float() if isinstance(value, Tensor) else value for name, value in options.items()}
    with torch.autocast(device, enabled=False):
        return form(*(x.float() for x in tensors), **raised).to(tensors[0].dtype)
