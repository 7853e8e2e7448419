"""The Checker: reads a program that passed its checks against what its author promises. It decides nothing.

Its doubts go to the author. It sees the code without comments and docstrings, so that it reads what is done and not
what is said of it.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.minds.programs import bare
from asi_arch.agents.minds.prompting import prompt
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.outcome import CheckReport, Severity
from asi_arch.domain.review import Doubt

MAX_TOKENS = 900
MOST_DOUBTS = 3

_Sentence = Annotated[str, Field(min_length=10, max_length=400)]


class Doubted(BaseModel):
    """A doubt as a model gives it."""

    model_config = ConfigDict(extra="forbid")

    where: Annotated[str, Field(min_length=1, max_length=400)]
    promised: _Sentence
    found: _Sentence
    change: bool


class Reading(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="forbid")

    doubts: Annotated[list[Doubted], Field(max_length=MOST_DOUBTS)]


class MindChecker:
    """Reads programs by asking a model."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def doubts(self, index: int, proposal: Proposal, checks: CheckReport) -> Sequence[Doubt]:
        """At most three. Raises `MindError` where the model gave nothing that fits."""
        reading = await self._mind.ask(question(index, proposal, checks))
        return [
            Doubt(where=one.where, promised=one.promised, found=one.found, should_change=one.change)
            for one in reading.doubts
        ]


def question(index: int, proposal: Proposal, checks: CheckReport) -> Question[Reading]:
    """Asks whether the code keeps its promise. Nothing in it depends on the machine or on when it is asked."""
    code = bare(proposal.source) or proposal.source
    promise = (proposal.motivation, proposal.change, proposal.expectation)
    return Question(
        role=Role.CHECKER,
        prompt=prompt(
            "checker",
            promise="\n".join(text for text in promise if text),
            code=code,
            passed=sorted(checks.passed_checks),
            warnings="\n".join(f.message for f in checks.findings if f.severity is Severity.WARNING),
            footprint=checks.footprint,
            most=MOST_DOUBTS,
        ),
        answer=Reading,
        temperature=0.2,
        max_tokens=MAX_TOKENS,
        complaint=lambda reading: complaint_about(code, reading),
        subject=str(index),
    )


def complaint_about(code: str, reading: Reading) -> str | None:
    """Of a doubt that points at nothing: its place must be in the code, however it is broken into lines."""
    words = " ".join(code.split())
    for number, doubt in enumerate(reading.doubts, start=1):
        place = " ".join(doubt.where.split())
        if not place or place not in words:
            return (
                f"What doubt {number} gives as 'where' is not in the program; copy the line it is about, to the letter."
            )
    return None
