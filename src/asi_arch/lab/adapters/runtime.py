"""What an adapted program finds under `RUNTIME_NAME` instead of the things it may not do itself.

Legend: B batch, T time, D width.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn


class Advance(NamedTuple):
    """A counter that a forward pass wants to move on."""

    owner: nn.Module
    name: str
    amount: float


class _Unbound(NamedTuple):
    """The pieces of a tensor, good as long as nothing is written to it."""

    x: torch.Tensor
    version: int
    pieces: tuple[torch.Tensor, ...]


class Runtime:
    """One for each loaded program."""

    def __init__(self) -> None:
        self.dtype = torch.get_default_dtype()
        """Stands for every half precision that the program names: the input's own, float32 in the constructor."""
        self._advances: list[Advance] = []
        self._unbound: dict[tuple[int, int], _Unbound] = {}

    @staticmethod
    def uncompiled(function: Callable[..., Any] | None = None, **options: object) -> Callable[..., Any]:
        """`torch.compile`, as a decorator or called, without compiling."""
        return _same if function is None else function

    def advance(self, owner: nn.Module, name: str, amount: float) -> None:
        """`owner.name += amount`, put off until the training step is taken (`passing`)."""
        if isinstance(getattr(owner, name), nn.Parameter):
            raise TypeError(f"the parameter '{name}' can't be used as a counter; register it as a buffer")
        self._advances.append(Advance(owner, name, amount))

    def piece(self, x: Any, dim: int, index: Any) -> Any:
        """`x[..., index]` with `dim` colons before the index; all pieces of a tensor share one gradient."""
        if not isinstance(x, torch.Tensor) or not x.requires_grad or not isinstance(index, int):
            return x[(*(slice(None),) * dim, index)]
        known = self._unbound.get((id(x), dim))
        if known is None or known.x is not x or known.version != x._version:
            known = self._unbound[id(x), dim] = _Unbound(x, x._version, x.unbind(dim))
        return known.pieces[index]

    @contextmanager
    def passing(self, dtype: torch.dtype) -> Generator[list[Advance], None, None]:
        """One forward pass in `dtype`; yields the list of the counters that want to move on, complete at the end."""
        before, self.dtype, self._advances = self.dtype, dtype, []
        try:
            yield self._advances
        finally:
            self.dtype, self._advances = before, []
            self._unbound.clear()


def move_on(advances: list[Advance]) -> None:
    """Do what was put off. Buffers are replaced and not written to, since the graph may hold their old values."""
    for owner, name, amount in advances:
        setattr(owner, name, getattr(owner, name) + amount)


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
