"""The narrow port: one attempt, text in, text out. Everything else is layered on it once."""

from typing import Protocol

from asi_arch.domain.exchanges import Reply, Request


class AttemptError(Exception):
    """An attempt that brought no reply. Stays inside this room; its text may be shown to the user once redacted."""

    is_charged: bool = False
    """Whether the service may have worked, and may bill it."""


class Transient(AttemptError):
    """Another attempt may go better: overloaded, unreachable, cut off."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None, is_charged: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.is_charged = is_charged


class Permanent(AttemptError):
    """The same again would fail again: wrong key, unknown model, malformed request, no credit."""


class Unanswered(AttemptError):
    """Nobody answered in the time given; asking again is for the user to decide."""


class Backend(Protocol):
    """Makes one attempt at a time, as often and as concurrently as it is asked to."""

    async def complete(self, request: Request) -> Reply:
        """The reply, whatever it is worth. Raises `AttemptError` in one of its kinds, and nothing else."""
        ...

    async def close(self) -> None:
        """Let go of connections and processes."""
        ...
