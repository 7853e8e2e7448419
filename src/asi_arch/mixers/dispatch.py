"""Which form of the same mathematics runs: ours, plain PyTorch, or the defining recurrence."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum


class Implementation(Enum):
    """Three forms of every op and building block, equal up to rounding.

    `FAST` uses hand-written backward passes (and flash-linear-attention on CUDA), `EAGER` is chunked PyTorch with
    autograd as a careful user would write it, `NAIVE` is the step-by-step recurrence that defines the op.
    """

    FAST = "fast"
    EAGER = "eager"
    NAIVE = "naive"


_CURRENT: ContextVar[Implementation] = ContextVar("implementation", default=Implementation.FAST)


def current() -> Implementation:
    """The form in use in this context; `FAST` unless `use` says otherwise."""
    return _CURRENT.get()


def is_fast() -> bool:
    """Whether hand-written backward passes are to be used."""
    return _CURRENT.get() is Implementation.FAST


@contextmanager
def use(implementation: Implementation) -> Generator[None, None, None]:
    """Run the body with another form of every op. Choose it for the forward pass; backward follows."""
    token = _CURRENT.set(implementation)
    try:
        yield
    finally:
        _CURRENT.reset(token)
