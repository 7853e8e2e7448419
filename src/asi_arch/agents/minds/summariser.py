"""The Summariser: tells a researcher in a few lines what its references taught, anew for every cycle of the pool."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.english import listed
from asi_arch.agents.minds.figures import invented
from asi_arch.agents.minds.prompting import prompt
from asi_arch.agents.minds.telling import shortened
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.minds import Mind, MindError, Question, Role
from asi_arch.domain.ports import Brief, Known, Researcher

MAX_TOKENS = 500
MAX_WORDS = 150
"""Of a whole answer."""
_IDEA_WORDS = 40
_RESULT_WORDS = 70
_LESSON_WORDS = 60


class Digest(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="forbid")

    lines: Annotated[list[Annotated[str, Field(min_length=10, max_length=600)]], Field(min_length=1)]


class Summariser:
    """Asks a model once for the same references in the same cycle, in whatever order they come.

    Answers are kept in memory, for that cycle. A sentence with a number that was not measured there is left out, and a
    line ends where its words do: a small model repeats what it is told is wrong.
    """

    def __init__(self, mind: Mind) -> None:
        self._mind = mind
        self._cycle = 0
        self._told: dict[tuple[int, ...], tuple[str, ...]] = {}

    async def experience(self, references: Sequence[Experiment], cycle: int) -> tuple[str, ...]:
        """A line for each reference in order, empty where nothing of it is true. Raises `MindError` where none came."""
        if cycle != self._cycle:
            self._cycle, self._told = cycle, {}
        ordered = sorted(references, key=lambda reference: reference.index)
        key = tuple(reference.index for reference in ordered)
        if key not in self._told:
            digest = await self._mind.ask(question(ordered, cycle))
            self._told[key] = tuple(true_lines(digest, ordered))
        lines = dict(zip(key, self._told[key], strict=True))
        return tuple(lines[reference.index] for reference in references)


class Briefed:
    """A `Researcher` that is told what the summariser makes of its references.

    Where the model has nothing, `say` is told and the researcher sees the records as without a summariser.
    """

    def __init__(self, researcher: Researcher, summariser: Summariser, say: Callable[[str], None]) -> None:
        self._researcher = researcher
        self._summariser = summariser
        self._say = say

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """What the researcher proposes. Raises its `MindError`, none of the summariser's."""
        known = await self._condensed(brief)
        return await self._researcher.propose(brief._replace(known=lambda: known), rng)

    async def _condensed(self, brief: Brief) -> Known:
        known = brief.known()
        if not any(reference.analysis for reference in known.references):
            return known
        try:
            lines = await self._summariser.experience(known.references, brief.cycle)
        except MindError as error:
            self._say(f"#{brief.experiment}: {error}; what the references taught is told as it was recorded")
            return known
        return known._replace(experience=lines)


def question(references: Sequence[Experiment], cycle: int) -> Question[Digest]:
    """Asks for a line about each of them."""
    return Question(
        role=Role.SUMMARISER,
        prompt=prompt(
            "summariser",
            experiments=[(e.proposal.name, _account(e)) for e in references],
            count=len(references),
            words=MAX_WORDS // len(references),
        ),
        answer=Digest,
        temperature=0.2,
        max_tokens=MAX_TOKENS,
        complaint=lambda digest: complaint_about(digest, references),
        subject=f"cycle {cycle}",
    )


def complaint_about(digest: Digest, references: Sequence[Experiment]) -> str | None:
    """What the model should mend: a line for each experiment, and in one of them something that was measured there."""
    if len(digest.lines) != len(references):
        return f"There must be {len(references)} lines, one for each experiment, but there are {len(digest.lines)}."
    if any(true_lines(digest, references)):
        return None
    unknown = invented(digest.lines[0], _findings(references[0]), references[0].proposal.motivation)
    return f"Line 1 states {listed(unknown)}, which was not measured there, and so do the others; leave it out."


def true_lines(digest: Digest, references: Sequence[Experiment]) -> list[str]:
    """The sentences of each line without a number that was not measured in its experiment, as far as there is room."""
    words = MAX_WORDS // len(references)
    return [
        shortened(" ".join(_true_sentences(line, reference)), words)
        for line, reference in zip(digest.lines, references, strict=True)
    ]


def _true_sentences(line: str, reference: Experiment) -> list[str]:
    sentences = re.split(r"(?<=[.!?;])\s+", " ".join(line.split()))
    given = (_findings(reference), reference.proposal.motivation)
    return [sentence for sentence in sentences if not invented(sentence, *given)]


def _account(experiment: Experiment) -> str:
    """Why it was tried and what was found, the first words of each."""
    return f"Idea: {shortened(experiment.proposal.motivation, _IDEA_WORDS)}\n{_findings(experiment)}"


def _findings(experiment: Experiment) -> str:
    analysis = experiment.analysis
    if analysis is None:
        return "It was not analysed."
    return (
        f"Results: {shortened(analysis.results, _RESULT_WORDS)}\nLessons: {shortened(analysis.lessons, _LESSON_WORDS)}"
    )
