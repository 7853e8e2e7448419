"""The Debugger: finds why a program failed and mends it by edits, keeping its idea and its names.

What it mends passes every check again. The same error twice asks for another strategy; after the third try it is given
up, because an idea that needs so many repairs is not the one that was proposed.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.endings import ending
from asi_arch.agents.minds.edits import Edit, edited, most_changed_lines, small_change_complaint
from asi_arch.agents.minds.prompting import prompt
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.outcome import Crashed, Outcome, TimedOut
from asi_arch.domain.repairs import mended

MAX_TOKENS = 3000
_ADVICE = "mend the cause only, by the smallest edits"


class Cure(BaseModel):
    """What a model answers. The cause comes first, so that it is found before anything is changed."""

    model_config = ConfigDict(extra="forbid")

    cause: Annotated[str, Field(min_length=10, max_length=600)]
    edits: Annotated[list[Edit], Field(min_length=1, max_length=12)]


class Failure(NamedTuple):
    """How a program failed, and the outcomes of its earlier versions, oldest first."""

    outcome: Outcome
    earlier: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The ending in a sentence."""
        return ending(self.outcome)

    @property
    def is_repeated(self) -> bool:
        """Whether the last repair left the error as it was."""
        return bool(self.earlier) and self.earlier[-1] == self.words


class MindDebugger:
    """Mends programs by asking a model."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def repair(self, index: int, proposal: Proposal, outcome: Outcome) -> Proposal:
        """The mended program under the same name, with the repair in its record.

        Raises `MindError` where the model gave nothing that fits.
        """
        failure = Failure(outcome, tuple(repair.failure for repair in proposal.repairs))
        cure = await self._mind.ask(question(index, proposal, failure))
        source = edited(proposal.source, cure.edits)
        return mended(proposal, source, failure=failure.words, cause=cure.cause)


def question(index: int, proposal: Proposal, failure: Failure) -> Question[Cure]:
    """Asks for the cause and the smallest edits."""
    return Question(
        role=Role.DEBUGGER,
        prompt=prompt(
            "debugger",
            proposal=proposal,
            failure=failure.words,
            log=failure.outcome.log if isinstance(failure.outcome, Crashed) else "",
            is_slow=isinstance(failure.outcome, TimedOut),
            is_repeated=failure.is_repeated,
            limit=most_changed_lines(proposal.source),
        ),
        answer=Cure,
        temperature=0.3,
        max_tokens=MAX_TOKENS,
        complaint=lambda cure: small_change_complaint(proposal.source, cure.edits, _ADVICE),
        subject=str(index),
    )
