"""The Reviser: asks the author of a program what it makes of doubts about it. The author decides."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.minds.edits import Edit, edited, most_changed_lines, small_change_complaint
from asi_arch.agents.minds.prompting import prompt
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.review import Doubt
from asi_arch.domain.revisions import Revision

MAX_TOKENS = 3000
_ADVICE = "change only what was doubted, by the smallest edits"


class Decision(BaseModel):
    """What a model answers. The reason comes first, so that the doubts are weighed before anything is changed."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=10, max_length=600)]
    decision: Literal["revise", "stands"]
    edits: Annotated[list[Edit], Field(max_length=12)]


class MindReviser:
    """Asks the mind that has the ideas, as a researcher."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def revise(self, index: int, proposal: Proposal, doubts: Sequence[Doubt]) -> Revision:
        """The author's reason, and the changed program where there is one. Raises `MindError`."""
        decision = await self._mind.ask(question(index, proposal, doubts))
        is_kept = decision.decision == "stands"
        return Revision(decision.reason, None if is_kept else edited(proposal.source, decision.edits))


def question(index: int, proposal: Proposal, doubts: Sequence[Doubt]) -> Question[Decision]:
    """Asks whether the program stands, or for the smallest edits."""
    return Question(
        role=Role.RESEARCHER,
        prompt=prompt("reviser", proposal=proposal, doubts=doubts, limit=most_changed_lines(proposal.source)),
        answer=Decision,
        temperature=0.3,
        max_tokens=MAX_TOKENS,
        complaint=lambda decision: complaint_about(proposal.source, decision),
        subject=str(index),
    )


def complaint_about(source: str, decision: Decision) -> str | None:
    """Edits that don't go with the decision, or are no small change."""
    if decision.decision == "stands":
        return "A program that stands has no edits; leave the list empty, or revise it." if decision.edits else None
    if not decision.edits:
        return "To revise the program give edits; if nothing is to change, it stands."
    return small_change_complaint(source, decision.edits, _ADVICE)
