"""The novelty check: an idea that was had before is sent back, before anything is trained, and asked for elsewhere.

Similarity decides where it is clear; in between a mind is asked, or without one the programs are compared. All of it
follows from the earlier proposals, so that a campaign that is taken up again decides alike.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.minds.disciplines import drawn
from asi_arch.agents.minds.prompting import prompt
from asi_arch.agents.minds.telling import shortened
from asi_arch.agents.overlap import SAME_CHANGE, change_overlap
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Mind, MindError, Question, Role
from asi_arch.domain.novelty import Decider, Near, Novelty
from asi_arch.domain.ports import Brief, Motivations, Researcher

NEAREST = 5
"""Earlier motivations that an idea is compared with."""
MOST_SENT_BACK = 2
"""Then the least similar idea is taken: the experiment of a known idea costs less than a campaign that stands still."""
MAX_TOKENS = 300
_WORDS = 90

Say = Callable[[str], None]


class Opinion(BaseModel):
    """What a model answers. The reason comes first, so that both ideas are looked at before the answer."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=10, max_length=400)]
    is_repeat: bool


class _Verdict(NamedTuple):
    is_repeat: bool
    decider: Decider
    reason: str


class _Idea(NamedTuple):
    """A proposal, what it is like, and from which discipline it was asked for."""

    proposal: Proposal
    near: Sequence[Near]
    verdict: _Verdict
    discipline: str = ""

    @property
    def similarity(self) -> float:
        """To the nearest earlier one; 0 without any."""
        return self.near[0].similarity if self.near else 0.0


class NoveltyGate:
    """A `Researcher` that lets `inner` propose, and again from another discipline where its idea is a repeat."""

    def __init__(self, inner: Researcher, motivations: Motivations, mind: Mind | None, say: Say) -> None:
        """`mind` is asked as `Role.NOVELTY`; None where nobody plays it. `say` hears of what is sent back."""
        self._inner = inner
        self._motivations = motivations
        self._mind = mind
        self._say = say
        self._learned: set[int] = set()

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """A new idea, or after `MOST_SENT_BACK` more the least similar one; its `novelty` tells which.

        Raises `MindError` where `inner` had no first idea.
        """
        await self._learn(brief)
        ideas = [await self._looked_at(brief, await self._inner.propose(brief, rng))]
        used: list[str] = []
        while ideas[-1].verdict.is_repeat and len(used) < MOST_SENT_BACK:
            discipline = drawn([*_used(brief), *used], rng)
            used.append(discipline.name)
            self._say(f"#{brief.experiment}: {_told(ideas[-1])}; asked for once more, from {discipline.name}")
            elsewhere = brief._replace(direction=discipline.words, avoid=self._repeated(brief, ideas[-1]))
            try:
                proposal = await self._inner.propose(elsewhere, rng)
            except MindError as error:
                self._say(f"#{brief.experiment}: {error}; no other idea came")
                break
            ideas.append(await self._looked_at(brief, proposal, discipline.name))
        chosen = ideas[-1]
        if chosen.verdict.is_repeat:
            chosen = min(ideas, key=lambda idea: idea.similarity)
            self._say(f"#{brief.experiment}: {_told(chosen)}; taken all the same, as the least similar of {len(ideas)}")
        return chosen.proposal.model_copy(update={"novelty": self._record(chosen, used)})

    async def _learn(self, brief: Brief) -> None:
        """Remember what came since the last proposal; at first it is the whole campaign, and others work meanwhile."""
        for number in sorted(brief.earlier.keys() - self._learned):
            if number < brief.experiment:
                self._motivations.add(number, text_of(brief.earlier[number]))
                self._learned.add(number)
                await asyncio.sleep(0)

    async def _looked_at(self, brief: Brief, proposal: Proposal, discipline: str = "") -> _Idea:
        near = self._motivations.nearest(text_of(proposal), NEAREST, before=brief.experiment)
        return _Idea(proposal, near, await self._verdict(brief, proposal, near), discipline)

    async def _verdict(self, brief: Brief, proposal: Proposal, near: Sequence[Near]) -> _Verdict:
        bands = self._motivations.bands
        if not near or near[0].similarity < bands.new_below:
            return _Verdict(False, Decider.SIMILARITY, "No earlier motivation is like it.")
        if near[0].similarity >= bands.repeat_from:
            return _Verdict(True, Decider.SIMILARITY, f"Its motivation is nearly that of #{near[0].number}.")
        if self._mind is not None:
            try:
                opinion = await self._mind.ask(question(brief, proposal, near))
                return _Verdict(opinion.is_repeat, Decider.MIND, opinion.reason)
            except MindError as error:
                self._say(f"#{brief.experiment}: {error}; its program is compared with the earlier ones instead")
        return _compared(proposal, [one.number for one in near if one.similarity >= bands.new_below], brief.earlier)

    def _repeated(self, brief: Brief, idea: _Idea) -> list[str]:
        """Of its nearest, those that are not clearly something else."""
        least = self._motivations.bands.new_below
        return [told_of(brief.earlier[one.number]) for one in idea.near if one.similarity >= least]

    def _record(self, idea: _Idea, used: Sequence[str]) -> Novelty:
        return Novelty(
            nearest=idea.near[0].number if idea.near else None,
            similarity=idea.similarity,
            measure=self._motivations.measure,
            decider=idea.verdict.decider,
            reason=idea.verdict.reason,
            is_repeat=idea.verdict.is_repeat,
            discipline=idea.discipline,
            disciplines=tuple(used),
        )


def text_of(proposal: Proposal) -> str:
    """What is compared of a proposal: why it should help, and what it changes."""
    return f"{proposal.motivation}\n{proposal.change}".strip()


def told_of(proposal: Proposal) -> str:
    """What a prompt says of a proposal; the change comes first, because long texts lose their end."""
    change = f"{proposal.change.rstrip('.')}. " if proposal.change else ""
    return change + proposal.motivation


def question(brief: Brief, proposal: Proposal, near: Sequence[Near]) -> Question[Opinion]:
    """Asks whether a proposal repeats one of those that it is near."""
    return Question(
        role=Role.NOVELTY,
        prompt=prompt(
            "novelty",
            idea=shortened(told_of(proposal), _WORDS),
            earlier=[(one.number, shortened(told_of(brief.earlier[one.number]), _WORDS)) for one in near],
        ),
        answer=Opinion,
        temperature=0.2,
        max_tokens=MAX_TOKENS,
        subject=str(brief.experiment),
    )


def _compared(proposal: Proposal, numbers: Sequence[int], earlier: Mapping[int, Proposal]) -> _Verdict:
    overlaps = {number: change_overlap(proposal, earlier[number], earlier) for number in numbers}
    most = max(overlaps, key=lambda number: overlaps[number])
    told = f"{overlaps[most]:.0%} of what its program changes on its parent is what #{most} changed on its own."
    return _Verdict(overlaps[most] >= SAME_CHANGE, Decider.OVERLAP, told)


def _used(brief: Brief) -> list[str]:
    """Disciplines that the campaign has drawn."""
    records = [proposal.novelty for n, proposal in brief.earlier.items() if n < brief.experiment]
    return [name for record in records if record is not None for name in record.disciplines]


def _told(idea: _Idea) -> str:
    nearest = idea.near[0]
    return f"the idea repeats an earlier one (nearest #{nearest.number}, similarity {nearest.similarity:.2f})"
