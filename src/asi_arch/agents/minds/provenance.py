"""Provenance by a language model: where each element of a design comes from, with evidence that is on record.

An experiment that is no relative, or a paper that the author was not given, is sent back.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.english import listed
from asi_arch.agents.minds.prompting import prompt
from asi_arch.agents.minds.telling import shortened
from asi_arch.agents.vocabulary import spoken
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.provenance import Background, Component, Element, Origin

MAX_TOKENS = 1500
_PASSAGE_WORDS = 45

Reason = Annotated[str, Field(min_length=10, max_length=240)]


class Claim(BaseModel):
    """Where one element comes from. The order of the fields is the order in which a model thinks."""

    model_config = ConfigDict(extra="forbid")

    element: str
    reason: Reason
    origin: Origin
    evidence: Annotated[str, Field(max_length=80)]


class Claims(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="forbid")

    claims: Annotated[list[Claim], Field(max_length=40)]


class MindTracer:
    """Says where the elements of designs come from."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def trace(
        self, index: int, proposal: Proposal, components: Sequence[Component], background: Background
    ) -> tuple[Element, ...]:
        """One element for each component, in their order. Raises `MindError`."""
        answer = await self._mind.ask(question(index, proposal, components, background))
        claims = {claim.element: claim for claim in answer.claims}
        return tuple(_element(component, claims[component.name]) for component in components)


def question(
    index: int, proposal: Proposal, components: Sequence[Component], background: Background
) -> Question[Claims]:
    """Shows the elements and all that its author could draw on."""
    return Question(
        role=Role.PROVENANCE,
        prompt=prompt(
            "provenance",
            design=proposal.name,
            motivation=f"{proposal.motivation} {proposal.change}".strip(),
            elements=[_told(component) for component in components],
            relatives=background.relatives,
            passages=[(p.arxiv, shortened(p.entry.algorithm, _PASSAGE_WORDS)) for p in background.passages],
        ),
        answer=Claims,
        temperature=0.0,
        max_tokens=MAX_TOKENS,
        complaint=lambda answer: complaint_about(answer, components, background),
        subject=str(index),
    )


def complaint_about(answer: Claims, components: Sequence[Component], background: Background) -> str | None:
    """What the model should mend: a missing, unknown or repeated element, or evidence that is not on record."""
    named = [claim.element for claim in answer.claims]
    wanted = [component.name for component in components]
    if missing := [name for name in wanted if name not in named]:
        return f"There is no claim about {listed(missing)}; classify every element."
    if unknown := [name for name in named if name not in wanted]:
        return f"{listed(unknown)} is no element of this design; keep to the given names."
    if len(set(named)) < len(named):
        return "An element is classified twice; one claim for each."
    for claim in answer.claims:
        if complaint := _complaint_about(claim, background):
            return f"'{claim.element}': {complaint}"
    return None


def _complaint_about(claim: Claim, background: Background) -> str | None:
    experiments = [str(relative.index) for relative in background.relatives]
    papers = [passage.arxiv for passage in background.passages]
    evidence = _plain(claim.evidence)
    match claim.origin:
        case Origin.EXPERIENCE if evidence not in experiments:
            there = f"give the number of one of the experiments {listed(experiments)}" if experiments else _NONE
            return f"experiment {evidence or 'nothing'!r} was not shown to its author; {there}."
        case Origin.COGNITION if evidence not in papers:
            there = f"give the id of one of the passages {listed(papers)}" if papers else _NONE
            return f"passage {evidence or 'nothing'!r} was not given to its author; {there}."
        case _:
            return None


_NONE = "there is none, so it can't be the origin"


def _element(component: Component, claim: Claim) -> Element:
    evidence = _plain(claim.evidence)
    return Element(
        name=component.name,
        lines=component.lines,
        origin=claim.origin,
        experiment=int(evidence) if claim.origin is Origin.EXPERIENCE else None,
        paper=evidence if claim.origin is Origin.COGNITION else "",
        reason=" ".join(claim.reason.split()),
    )


def _plain(evidence: str) -> str:
    """'4' for '#4' and '2406.06484' for 'arXiv:2406.06484'."""
    return evidence.strip().removeprefix("#").removeprefix("arXiv:").strip()


def _told(component: Component) -> str:
    gloss = spoken(component.name)
    return component.name if gloss.replace(" ", "_") == component.name else f"{component.name}: {gloss}"
