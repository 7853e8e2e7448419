"""What a candidate shares with everything else in its process, and must leave as it is."""

import builtins
import math
import random
import sys
import time
import types
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks

from asi_arch.lab.optimizer import AdamW
from asi_arch.mixers import feed_forward, model, ops
from asi_arch.mixers import nn as blocks

_OURS: tuple[types.ModuleType | type, ...] = (
    model,
    feed_forward,
    blocks,
    ops,
    model.LanguageModel,
    model.Block,
    feed_forward.SwiGLU,
    blocks.RMSNorm,
    blocks.ShortConvolution,
)
_WATCHED: tuple[types.ModuleType | type, ...] = (
    *_OURS,
    builtins,
    random,
    time,
    torch.optim,
    torch.optim.AdamW,
    AdamW,
    torch.optim.Optimizer,
    torch.nn.utils,
    torch.random,
    torch.Generator,
    torch,
    torch.nn,
    torch.nn.functional,
    torch.nn.init,
    torch.autograd,
    torch.linalg,
    torch.fft,
    Tensor,
    nn.Module,
    nn.Linear,
    math,
)


_TORCH = Path(torch.__file__).parent
_WRAPPERS = (str(_TORCH / "_dynamo") + "/", str(_TORCH / "_compile.py"))


class Surroundings:
    """Remembers functions and classes of torch, and its global settings, at the moment it is made."""

    def __init__(self) -> None:
        self._parts = [(owner, {name: v for name, v in vars(owner).items() if callable(v)}) for owner in _WATCHED]
        self._settings = _settings()
        self._hooks = [(registry, dict(registry)) for registry in _hook_registries()]

    def changes(self) -> list[str]:
        """Names of what is different now."""
        replaced = [f"{owner.__name__}.{name}" for owner, name, _ in self._replaced()]
        now = _settings()
        hooks = ["hooks of all modules or optimizers" for registry, before in self._hooks if dict(registry) != before]
        return [name for name, value in self._settings.items() if now[name] != value] + hooks[:1] + replaced

    def restore(self) -> None:
        """Put everything back."""
        for owner, name, value in list(self._replaced()):
            setattr(owner, name, value)
        for registry, before in self._hooks:
            if dict(registry) != before:
                registry.clear()
                registry.update(before)
        now = _settings()
        for name, put in _SETTERS.items():
            if now[name] != self._settings[name]:
                put(self._settings[name])

    def _replaced(self) -> Iterator[tuple[types.ModuleType | type, str, object]]:
        """Owner, name and earlier value of what is another thing now."""
        for owner, before in self._parts:
            now = vars(owner)
            for name, value in before.items():
                after = now.get(name)
                if after is not value and _is_replaced(value, after):
                    yield owner, name, value


def _hook_registries() -> list[dict[Any, Any]]:
    """Of hooks that torch calls for every module, or for every optimizer."""
    optimizer_hooks = vars(sys.modules[torch.optim.Optimizer.__module__])
    held = (*vars(module_hooks).items(), *optimizer_hooks.items())
    return [value for name, value in held if name.startswith("_global_") and isinstance(value, dict)]


def _is_replaced(before: object, after: object) -> bool:
    """Torch wraps some of its own functions when its compiler is first used; that is not the candidate's doing.

    Each wrapper must be torch's own, and the original inside: a candidate could put one around another function.
    """
    waiting, seen = [after], set[int]()
    while waiting:
        one = waiting.pop()
        if one is before:
            return False
        code = getattr(one, "__code__", None)
        if id(one) not in seen and code is not None and code.co_filename.startswith(_WRAPPERS):
            seen.add(id(one))
            waiting += _originals(one)
    return True


def _originals(wrapper: Any) -> list[object]:
    """What a wrapper calls: it says so itself, or holds it as a variable of the function that made it."""
    if (wrapped := getattr(wrapper, "__wrapped__", None)) is not None:
        return [wrapped]
    # A cell that nothing was put into has no content to look at.
    return [cell.cell_contents for cell in getattr(wrapper, "__closure__", None) or () if cell != types.CellType()]


def _settings() -> dict[str, Any]:
    return {
        "the default dtype": torch.get_default_dtype(),
        "the gradient mode": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "the number of threads": torch.get_num_threads(),
    }


_SETTERS: dict[str, Callable[[Any], object]] = {
    "the default dtype": torch.set_default_dtype,
    "the gradient mode": torch.set_grad_enabled,
    "deterministic algorithms": torch.use_deterministic_algorithms,
    "the number of threads": torch.set_num_threads,
}
"""Called only where needed: some of them import torch's compiler, which takes two seconds."""


@contextmanager
def isolated() -> Generator[Surroundings, None, None]:
    """Random states, settings and patched functions are put back at the end; warnings are not shown."""
    before = Surroundings()
    state = random.getstate()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield before
        finally:
            before.restore()
            random.setstate(state)
