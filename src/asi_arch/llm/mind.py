"""`Minds`: the port `domain.minds.Mind`, put together. Who answers depends on the role that asks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from asi_arch.domain.exchanges import Reply, Request
from asi_arch.domain.minds import Answer, MindRejected, MindUnavailable, Question, Role
from asi_arch.llm import asking
from asi_arch.llm.backend import Backend, Permanent, Unanswered
from asi_arch.llm.ensemble import Choosing, NotInTime, TakingTurns, first_reply
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
    """Answers questions, each role over its own line, or over one of several."""

    def __init__(
        self,
        lines: Mapping[Role, Sequence[Line]],
        ledger: Ledger,
        *,
        tell: Callable[[str], None] = lambda _: None,
        choosing: Choosing | None = None,
    ) -> None:
        """`tell` hears of every question that is sent, because an answer may be long in coming.

        `choosing` says which of a role's lines is asked; without it they take turns over the subjects.
        """
        self._lines = lines
        self._ledger = ledger
        self._tell = tell
        self._choosing: Choosing = choosing or TakingTurns()

    async def ask(self, question: Question[Answer]) -> Answer:
        """The validated answer. Raises `MindError` in one of its kinds, `StoreError` where no record can be kept."""
        lines = self._lines.get(question.role)
        if not lines:
            raise MindUnavailable(
                f"nobody answers for the {question.role.value}; name a mind for it in the settings under [minds.roles],"
                " or one for all roles with ASI_ARCH_MINDS"
            )
        first = self._ledger.numbered(asking.request_of(question))
        return await asking.ask(question, first, lambda request: self._reply(lines, request))

    async def close(self) -> None:
        """Let go of connections and processes."""
        for backend in _distinct(line.backend for lines in self._lines.values() for line in lines):
            await backend.close()

    async def _reply(self, lines: Sequence[Line], request: Request) -> Reply:
        """From the record where an earlier process got it already, whoever gave it; otherwise from a line."""
        request = self._ledger.clean(request)
        if recalled := self._ledger.recalled(request):
            return recalled
        if len(lines) == 1:
            return await self._asked(lines[0], request, None)
        role, subject, known = request.role, request.subject, {line.name: line for line in lines}

        def note(passed: str, reason: str, after: str | None) -> None:
            who = "" if reason.startswith(passed) else f"{passed}: "
            self._tell(f"{who}{reason}; " + (f"{after} is asked instead" if after else "nobody else is left"))
            self._choosing.note_passed(role, subject, list(known), passed, reason)

        order = self._choosing.order(role, subject, list(known))
        return await first_reply(order, lambda name, short_s: self._asked(known[name], request, short_s), note)

    async def _asked(self, line: Line, request: Request, at_most_s: float | None) -> Reply:
        """Over this line. Raises `MindError` with the line's name in its text."""
        about = f" about {request.subject}" if request.subject else ""
        again = f", try {len(request.turns) + 1}" if request.turns else ""
        self._tell(f"asking {line.name} as {request.role.value}{about}{again}")
        try:
            return await line.patience.persevere(
                lambda: self._ledger.attempt(line.backend, request, mind=line.name, tariff=line.tariff),
                at_most_s=at_most_s,
            )
        except Permanent as error:
            failure = MindRejected(f"{line.name}: {error}")
        except Unanswered as error:
            failure = NotInTime(f"{line.name}: {error}")
        except MindUnavailable as error:
            failure = MindUnavailable(f"{line.name}: {error}")
        # Raised here and not above, so that no library's error, with whatever it holds, hangs on to it.
        raise failure


def _distinct(backends: Iterable[Backend]) -> list[Backend]:
    return list({id(backend): backend for backend in backends}.values())
