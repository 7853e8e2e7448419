"""A backend for tests and demonstrations whose replies are written beforehand."""

from collections.abc import Callable, Iterable, Iterator

from asi_arch.domain.exchanges import Reply, Request
from asi_arch.llm.backend import AttemptError, Permanent

Line = str | Reply | AttemptError
"""What is said: a text, a reply with all its particulars, or a failure to raise."""


class ScriptedBackend:
    """Says its lines in order, or what a function makes of the request. Keeps the requests it got."""

    def __init__(self, script: Iterable[Line] | Callable[[Request], Line]) -> None:
        self._answer = script if callable(script) else _in_order(iter(script))
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply:
        """The next line. A script that is at its end fails for good."""
        self.requests.append(request)
        line = self._answer(request)
        if isinstance(line, AttemptError):
            raise line
        return line if isinstance(line, Reply) else _counted(line, request)

    async def close(self) -> None:
        """Nothing to let go of."""


def _in_order(lines: Iterator[Line]) -> Callable[[Request], Line]:
    return lambda request: next(lines, Permanent(f"the script has no line left for {request.role.value}"))


def _counted(text: str, request: Request) -> Reply:
    """A reply with as many tokens as words."""
    words = len(f"{request.prompt.system} {request.prompt.user}".split())
    return Reply(text=text, model="scripted", input_tokens=words, output_tokens=len(text.split()))
