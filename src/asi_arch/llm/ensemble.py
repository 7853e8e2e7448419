"""Several minds for one role: in which order they are asked about a subject, and who answers where one can't.

A member that is down, turns the question away or can't be paid is passed over to the next. Each is waited for a little;
where nobody answers, the first of those that may come back is waited for as long as a single mind would be.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from asi_arch.domain.exchanges import Reply
from asi_arch.domain.minds import MindError, MindRejected, MindUnavailable, OverBudget, Role
from asi_arch.domain.record import sha256

SHORT_S: Final = 20.0
"""Patience with a member while there is another one: enough for a service that is busy, not for one that is down."""


class NotInTime(MindUnavailable):
    """Nobody answered in the time that an inbox is given: whether to wait once more is for the user to decide."""


class Choosing(Protocol):
    """Says whom to ask. All questions about one subject that go to the same members go to the same one of them."""

    def order(self, role: Role, subject: str, names: Sequence[str]) -> Sequence[str]:
        """The members, best first: each of the names once."""
        ...

    def note_passed(self, role: Role, subject: str, names: Sequence[str], passed: str, reason: str) -> None:
        """One of the names could not be had for a question about this subject; from now on it comes last."""
        ...


class TakingTurns:
    """`Choosing` by the subject alone: members take turns over the experiments, whatever became of earlier ones."""

    def __init__(self) -> None:
        self._passed: dict[tuple[str, tuple[str, ...]], list[str]] = {}

    def order(self, role: Role, subject: str, names: Sequence[str]) -> Sequence[str]:
        """Begins with the member whose turn it is; without a subject with the first."""
        return at_the_end(in_turn(subject, names), self._passed.get((subject, tuple(names)), []))

    def note_passed(self, role: Role, subject: str, names: Sequence[str], passed: str, reason: str) -> None:
        """Questions without a subject have nothing in common, so that nothing follows for the next one."""
        if subject:
            self._passed.setdefault((subject, tuple(names)), []).append(passed)


def in_turn(subject: str, names: Sequence[str]) -> list[str]:
    """The names from the one whose turn it is: by an experiment's number, by the hash of any other subject."""
    turn = int(subject) if subject.isdecimal() else int(sha256(subject), 16) if subject else 0
    start = turn % len(names)
    return [*names[start:], *names[:start]]


def at_the_end(names: Sequence[str], passed: Sequence[str]) -> list[str]:
    """The names, those that were passed over last, in the order in which they were."""
    late = [name for name in dict.fromkeys(reversed(passed)) if name in names]
    return [*(name for name in names if name not in late), *reversed(late)]


async def first_reply(
    names: Sequence[str],
    ask: Callable[[str, float | None], Awaitable[Reply]],
    note: Callable[[str, str, str | None], None],
) -> Reply:
    """The reply of the first that can be had; best first.

    `ask` gets a name and the patience with it in seconds, None for the whole. `note` hears of each that is passed over:
    its name, the reason, and who comes next, if anybody does. Raises what the last one raised where nobody may come
    back, and at once whatever is not about being had or not.
    """
    if len(names) == 1:
        return await ask(names[0], None)
    waiting, failure = list[str](), MindError("nobody was asked")
    for place, name in enumerate(names):
        try:
            return await ask(name, SHORT_S)
        except (MindUnavailable, MindRejected, OverBudget) as error:
            failure = error
        if isinstance(failure, MindUnavailable) and not isinstance(failure, NotInTime):
            waiting.append(name)
        note(name, str(failure), next(iter([*names[place + 1 :], *waiting]), None))
    if not waiting:
        raise failure
    return await ask(waiting[0], None)
