"""What the registry holds: one op in all its forms, and the choice among them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from asi_arch.mixers.dispatch import Implementation, current

Form = Callable[..., Tensor]
_HALF = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Op:
    """One op. Every form takes the same arguments and returns [B, T, H, V].

    `naive` is the recurrence, step by step, in any dtype: the definition. `chunked` works on chunks of time and picks
    its backward pass by `Implementation`. `fla` calls flash-linear-attention; None where it has no counterpart whose
    conventions are known.
    """

    name: str
    naive: Form
    chunked: Form
    fla: Form | None = None

    def __call__(self, *tensors: Tensor, **options: Any) -> Tensor:
        """Run the form that the context, the device and the dtype ask for."""
        if current() is Implementation.NAIVE:
            return self.naive(*tensors, **options)
        if self.fla is not None and current() is Implementation.FAST and _suits_fla(tensors[0]):
            from asi_arch.mixers.ops.fla import is_installed

            if is_installed() and not any(value is not None for value in options.values()):
                return self.fla(*tensors)
        return _in_full_precision(self.chunked, tensors, options)


def _suits_fla(q: Tensor) -> bool:
    """Its kernels take half precision only, and refuse inputs with fewer steps than heads as a likely mistake."""
    return q.is_cuda and q.dtype in _HALF and q.shape[1] >= q.shape[2]


def _in_full_precision(form: Form, tensors: tuple[Tensor, ...], options: dict[str, Any]) -> Tensor:
    """The triangular solve and the states need float32 at least; the result has the dtype of the input."""
    dtype = tensors[0].dtype
    if dtype not in _HALF:
        return form(*tensors, **options)
    raised = {name: value.float() if isinstance(value, Tensor) else value for name, value in options.items()}
    with torch.autocast(tensors[0].device.type, enabled=False):
        return form(*(tensor.float() for tensor in tensors), **raised).to(dtype)
