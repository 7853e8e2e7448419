"""`Minds`: the port `domain.minds.Mind`, put together. Who answers depends on the role that asks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from asi_arch.domain.exchanges import Reply, Request
from asi_arch.domain.minds import Answer, MindRejected, MindUnavailable, Question, Role
from asi_arch.llm import asking
from asi_arch.llm.backend import Backend, Permanent, Unanswered
from asi_arch.llm.ledger import Ledger
from asi_arch.llm.patience import Patience
from asi_arch.llm.prices import Tariff


@dataclass(frozen=True)
class Line:
    """A way to somebody who answers, shared by all roles that use it."""

    name: str
    """Service and model, as in the settings."""
    backend: Backend
    tariff: Tariff
    patience: Patience


class Minds:
    """Answers questions, each role over its own line."""

    def __init__(
        self, lines: Mapping[Role, Line], ledger: Ledger, *, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """`tell` hears of every question that is sent, because an answer may be long in coming."""
        self._lines = lines
        self._ledger = ledger
        self._tell = tell

    async def ask(self, question: Question[Answer]) -> Answer:
        """The validated answer. Raises `MindError` in one of its kinds, `StoreError` where no record can be kept."""
        line = self._lines.get(question.role)
        if line is None:
            raise MindUnavailable(
                f"nobody answers for the {question.role.value}; name a mind for it in the settings under [minds.roles],"
                " or one for all roles with ASI_ARCH_MINDS"
            )
        first = self._ledger.numbered(asking.request_of(question))
        return await asking.ask(question, first, lambda request: self._reply(line, request))

    async def close(self) -> None:
        """Let go of connections and processes."""
        for backend in _distinct(line.backend for line in self._lines.values()):
            await backend.close()

    async def _reply(self, line: Line, request: Request) -> Reply:
        """From the record where an earlier process got it already; otherwise from the line."""
        request = self._ledger.clean(request)
        if recalled := self._ledger.recalled(request):
            return recalled
        about = f" about {request.subject}" if request.subject else ""
        again = f", try {len(request.turns) + 1}" if request.turns else ""
        self._tell(f"asking {line.name} as {request.role.value}{about}{again}")
        try:
            return await line.patience.persevere(
                lambda: self._ledger.attempt(line.backend, request, mind=line.name, tariff=line.tariff)
            )
        except Permanent as error:
            failure = MindRejected(f"{line.name}: {error}")
        except Unanswered as error:
            failure = MindUnavailable(f"{line.name}: {error}")
        except MindUnavailable as error:
            failure = MindUnavailable(f"{line.name}: {error}")
        # Raised here and not above, so that no library's error, with whatever it holds, hangs on to it.
        raise failure


def _distinct(backends: Iterable[Backend]) -> list[Backend]:
    return list({id(backend): backend for backend in backends}.values())
