"""The Researcher for strong models: it has the idea and writes the program, whole or as edits to its parent."""

from enum import Enum
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.minds.edits import Edit, EditRefused, edited, syntax_complaint
from asi_arch.agents.minds.elsewhere import asking_role, elsewhere
from asi_arch.agents.minds.forecast import Forecast, Sentences
from asi_arch.agents.minds.prompting import prompt
from asi_arch.agents.minds.telling import agenda_of, experience_of, failure_of, idea_of, numbers, shortened
from asi_arch.domain.candidate import Author, Proposal, fingerprint
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.ports import Brief, Known

MAX_TOKENS = 8000
MAX_SOURCE = 40_000
"""Characters of a program."""
_LESSON_WORDS = 120
_PASSAGE_WORDS = 90

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{2,47}$")]


class Form(str, Enum):
    """How the program is given."""

    WHOLE = "whole"
    EDITS = "edits"


class Idea(BaseModel):
    """What both forms of an answer have in common."""

    model_config = ConfigDict(extra="forbid")

    motivation: Sentences
    name: Name
    change: Annotated[str, Field(min_length=10, max_length=300)]
    """What differs from the parent, in one sentence."""
    expectation: Forecast
    mechanisms: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=12)]
    """The parts it is made of, in a few words each."""


class WholeProgram(Idea):
    """An idea with its complete program."""

    code: Annotated[str, Field(max_length=MAX_SOURCE)]


class EditedProgram(Idea):
    """An idea as edits to the parent's program."""

    edits: Annotated[list[Edit], Field(min_length=1, max_length=20)]


class Inventor:
    """A `Researcher` whose ideas and programs are a model's."""

    def __init__(self, mind: Mind, form: Form = Form.WHOLE) -> None:
        """`form` EDITS is for parents that are long; without a parent a whole program is asked for."""
        self._mind = mind
        self._form = form

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """A program that parses and is new; whether it runs is for the checks to say. Raises `MindError`."""
        known = brief.known()
        if self._form is Form.EDITS and brief.parent is not None:
            edits = await self._mind.ask(question_for_edits(brief, known, brief.parent))
            proposal = _proposal(brief, edits, edited(brief.parent.source, edits.edits))
        else:
            idea = await self._mind.ask(question_for_program(brief, known))
            proposal = _proposal(brief, idea, unfenced(idea.code))
        return proposal.model_copy(update={"passages": tuple(p.entry.id for p in known.passages)})


def question_for_program(brief: Brief, known: Known) -> Question[WholeProgram]:
    """Asks for a complete program."""
    return Question(
        role=asking_role(brief, Role.RESEARCHER),
        prompt=prompt("researcher", form=Form.WHOLE.value, **_values(brief, known)),
        answer=WholeProgram,
        temperature=0.9,
        max_tokens=MAX_TOKENS,
        complaint=lambda idea: _complaint(brief, unfenced(idea.code)),
        subject=str(brief.experiment),
    )


def question_for_edits(brief: Brief, known: Known, parent: Proposal) -> Question[EditedProgram]:
    """Asks for edits to the parent."""

    def complaint(idea: EditedProgram) -> str | None:
        try:
            return _complaint(brief, edited(parent.source, idea.edits))
        except EditRefused as refused:
            return str(refused)

    return Question(
        role=asking_role(brief, Role.RESEARCHER),
        prompt=prompt("researcher", form=Form.EDITS.value, **_values(brief, known)),
        answer=EditedProgram,
        temperature=0.9,
        max_tokens=MAX_TOKENS,
        complaint=complaint,
        subject=str(brief.experiment),
    )


def unfenced(code: str) -> str:
    """Without the Markdown fence that many models put around code, and with a final line break."""
    lines = code.strip().splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].startswith("```"):
        lines = lines[1:-1]
    return "\n".join(lines).strip("\n") + "\n"


def _values(brief: Brief, known: Known) -> dict[str, object]:
    parent = known.parent
    return {
        "parent": brief.parent,
        "numbers": numbers(parent, known.baseline, known.noise_nats) if parent else "",
        "lessons": shortened(parent.analysis.lessons, _LESSON_WORDS) if parent and parent.analysis else "",
        "references": [
            (e.proposal.name, taught, numbers(e, known.baseline, known.noise_nats))
            for e, taught in zip(known.references, experience_of(known), strict=True)
        ],
        "failures": [f"{e.proposal.name}: {failure_of(e)}" for e in known.failures],
        "passages": [
            (idea_of(passage, _PASSAGE_WORDS), shortened(passage.entry.guidance, _PASSAGE_WORDS))
            for passage in known.passages
        ],
        "agenda": agenda_of(brief),
        "noise": known.noise_nats,
        **elsewhere(brief),
    }


def _complaint(brief: Brief, source: str) -> str | None:
    if complaint := syntax_complaint(source):
        return complaint
    if (index := brief.taken.get(fingerprint(source))) is None:
        return None
    same = "the parent, unchanged" if index == brief.parent_index else f"the program of experiment {index}"
    return f"This is {same}, but for names and comments; bring a new idea."


def _proposal(brief: Brief, idea: Idea, source: str) -> Proposal:
    return Proposal(
        author=Author.MODEL,
        name=idea.name,
        motivation=idea.motivation,
        expectation=idea.expectation.words,
        change=idea.change,
        source=source,
        fingerprint=fingerprint(source),
        parent=brief.parent_index,
        references=tuple(brief.reference_indices),
        mechanisms=tuple(dict.fromkeys(idea.mechanisms)),
    )
