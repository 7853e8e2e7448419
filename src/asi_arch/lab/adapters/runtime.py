"""What an adapted program finds under `RUNTIME_NAME` instead of the things it may not do itself.

Legend: B batch, T time, D width.
"""

import random
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, ContextDecorator, contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

HALF = (torch.bfloat16, torch.float16)


class Advance(NamedTuple):
    """An update of `owner.name` that a forward pass wants to be done; `compute` writes to it or gives its new value."""

    owner: nn.Module
    name: str
    compute: Callable[[], Any]
    is_in_place: bool


class _Unbound(NamedTuple):
    """The pieces of a tensor, good as long as nothing is written to it."""

    x: torch.Tensor
    version: int
    pieces: tuple[torch.Tensor, ...]


class Runtime:
    """One for each loaded program."""

    def __init__(self) -> None:
        self.dtype = torch.float32
        """Stands for every half precision that the program names: the input's own, float32 in the constructor.

        It stays after a forward pass, because a checkpoint runs parts of it again in the backward pass.
        """
        self.device = torch.device("cpu")
        """Stands for every GPU that the program names: the input's own, the CPU in the constructor."""
        self.is_watched = False
        """Whether the program names precisions or devices where only watching its calls finds them."""
        self.random = random.Random(0)
        """Python's module `random` as the program sees it, seeded from torch's generator for each pass."""
        self.is_random = False
        """Whether the program has asked for it."""
        self._advances: list[Advance] | None = None
        self._unbound: dict[tuple[int, int], _Unbound] = {}

    @property
    def single(self) -> torch.dtype:
        """Stands for float32, which is the full precision of its author: float64 where the input is."""
        return torch.float64 if self.dtype is torch.float64 else torch.float32

    @staticmethod
    def uncompiled(function: Callable[..., Any] | None = None, **options: object) -> Callable[..., Any]:
        """`torch.compile`, as a decorator or called, without compiling."""
        return _same if function is None else function

    def autocast(self, *given: object, enabled: object = True, **_: object) -> AbstractContextManager[object]:
        """`torch.autocast` and `torch.cuda.amp.autocast`: nothing, unless the region is to be without any."""
        flags = [value for value in given if isinstance(value, bool)]
        is_enabled = flags[0] if flags else enabled
        return _Inert() if is_enabled else torch.autocast(self.device.type, enabled=False)

    @staticmethod
    def missing(name: str) -> ImportError:
        """What importing a module that is not there raises."""
        return ModuleNotFoundError(f"No module named '{name}'", name=name)

    @property
    def is_passing(self) -> bool:
        """Whether a forward pass is under way; a constructor updates what it likes."""
        return self._advances is not None

    def later(self, owner: nn.Module, name: str, compute: Callable[[], Any], is_in_place: bool) -> None:
        """Update `owner.name` when the training step is taken (`passing`). Raises `TypeError` for a parameter."""
        assert self._advances is not None
        if isinstance(getattr(owner, name), nn.Parameter):
            raise TypeError(f"the parameter '{name}' can't be used as a counter; register it as a buffer")
        self._advances.append(Advance(owner, name, compute, is_in_place))

    def piece(self, x: Any, dim: int, index: Any) -> Any:
        """`x[..., index]` with `dim` colons before the index; all pieces of a tensor share one gradient."""
        if not isinstance(x, torch.Tensor) or not x.requires_grad or not isinstance(index, int):
            return x[(*(slice(None),) * dim, index)]
        known = self._unbound.get((id(x), dim))
        if known is None or known.x is not x or known.version != x._version:
            known = self._unbound[id(x), dim] = _Unbound(x, x._version, x.unbind(dim))
        return known.pieces[index]

    @contextmanager
    def making(self) -> Generator[None, None, None]:
        """The constructor runs."""
        self.dtype, self.device = torch.float32, torch.device("cpu")
        with self._watching():
            yield

    @contextmanager
    def passing(self, x: torch.Tensor) -> Generator[list[Advance], None, None]:
        """One forward pass of `x`; yields the list of the updates that wait for the step, complete at the end."""
        self.dtype, self.device = x.dtype, x.device
        before, self._advances = self._advances, []
        if self.is_random:
            self.random.seed(int(torch.randint(2**62, ())))
        try:
            with self._watching():
                yield self._advances
        finally:
            self._advances = before
            self._unbound.clear()

    def _watching(self) -> AbstractContextManager[object]:
        return _Placing(self) if self.is_watched else nullcontext()


class _Inert(ContextDecorator):
    """Changes nothing, as a context and as a decorator."""

    def __enter__(self) -> "_Inert":
        return self

    def __exit__(self, *_: object) -> None:
        return None


class _Placing(TorchFunctionMode):
    """Puts the precision and the device of the input where a program's calls name others."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in ("bfloat16", "half"):
            return args[0].to(self._runtime.dtype)
        if name == "cuda":
            return args[0].to(self._runtime.device)
        placed = {key: self._own(value) for key, value in (kwargs or {}).items()}
        return func(*map(self._own, args), **placed)

    def _own(self, value: Any) -> Any:
        if isinstance(value, torch.dtype):
            return self._runtime.dtype if value in HALF else value
        is_gpu = (isinstance(value, torch.device) and value.type == "cuda") or (
            isinstance(value, str) and value.startswith("cuda")
        )
        return self._runtime.device if is_gpu else value


def move_on(advances: list[Advance]) -> None:
    """Do what was put off. Buffers are replaced and not written to, since the graph may hold their old values."""
    with torch.no_grad():
        for owner, name, compute, is_in_place in advances:
            if is_in_place:
                setattr(owner, name, getattr(owner, name).clone())
            value = compute()
            if not is_in_place:
                setattr(owner, name, value)


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
