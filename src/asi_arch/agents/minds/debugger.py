"""The Debugger: finds why a program failed and mends it by edits, keeping its idea and its names.

What it mends passes every check again. The same error twice asks for another strategy; after the third try it is given
up, because an idea that needs so many repairs is not the one that was proposed.
"""

import ast
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.endings import ending
from asi_arch.agents.minds.edits import Edit, EditRefused, changed_lines, edited, syntax_complaint
from asi_arch.agents.minds.prompting import prompt
from asi_arch.domain.candidate import Proposal, fingerprint
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.outcome import Crashed, Outcome, TimedOut
from asi_arch.domain.repairs import mended

MAX_TOKENS = 3000
LEAST_LIMIT = 24
"""Changed lines that are always allowed."""
SHARE_LIMIT = 0.3
"""Of the program's lines that may change, where that is more."""


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
    limit = max(LEAST_LIMIT, round(SHARE_LIMIT * len(proposal.source.splitlines())))
    return Question(
        role=Role.DEBUGGER,
        prompt=prompt(
            "debugger",
            proposal=proposal,
            failure=failure.words,
            log=failure.outcome.log if isinstance(failure.outcome, Crashed) else "",
            is_slow=isinstance(failure.outcome, TimedOut),
            is_repeated=failure.is_repeated,
            limit=limit,
        ),
        answer=Cure,
        temperature=0.3,
        max_tokens=MAX_TOKENS,
        complaint=lambda cure: complaint_about(proposal.source, cure, limit),
        subject=str(index),
    )


def complaint_about(source: str, cure: Cure, limit: int) -> str | None:
    """What is wrong with a cure: edits that don't fit, too many of them, lost names, or no change at all."""
    try:
        result = edited(source, cure.edits)
    except EditRefused as refused:
        return str(refused)
    if complaint := syntax_complaint(result):
        return complaint
    if syntax_complaint(source) is None and fingerprint(result) == fingerprint(source):
        return "These edits change nothing but names and comments."
    if (changed := changed_lines(source, result)) > limit:
        return f"These edits change {changed} lines, more than {limit}; mend the cause only, by the smallest edits."
    if lost := sorted(_names(source) - _names(result)):
        return f"{', '.join(lost)} must keep its name."
    return None


def _names(source: str) -> set[str]:
    """Of the classes of a program and their methods; none where it is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = [f"{c.name}.{f.name}" for c in classes for f in c.body if isinstance(f, ast.FunctionDef)]
    return {*(node.name for node in classes), *methods}
