"""torch's AdamW without torch's compiler. Beside worker and checks, because one trains with it and both watch it."""

import inspect
from typing import Any

import torch
from torch.optim import Optimizer


class AdamW(torch.optim.AdamW):
    """The same update, bit for bit.

    torch wraps some methods of its optimizers so that its compiler leaves them alone, and loads the compiler for that:
    800 modules, two seconds. We never compile an optimizer, so ours are the methods inside the wrappers.
    """

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update with the gradients as they are."""
        return _step(self, closure)


_step = inspect.unwrap(torch.optim.AdamW.step)
AdamW.step.hooked = True  # pyright: ignore[reportFunctionMemberAccess]  torch would wrap it for its profiler
