"""The Analyst by a language model: code measures and scores, the model says why and what to search for.

Results and expectation stay those of the analyst that derives them from the numbers. The model writes design, mechanism
and lessons, and the findings that the literature is searched with; a number that it was not given is refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.comparison import accuracy_difference, language_difference, nats, points
from asi_arch.agents.endings import ending
from asi_arch.agents.english import capitalised, listed
from asi_arch.agents.minds.figures import figures, invented, without_amounts
from asi_arch.agents.minds.programs import bare, bare_difference
from asi_arch.agents.minds.prompting import fitted
from asi_arch.agents.minds.telling import shortened
from asi_arch.domain.experiment import Analysis, Experiment
from asi_arch.domain.minds import Mind, MindError, Question, Role
from asi_arch.domain.outcome import Measured
from asi_arch.domain.ports import Analyst, Evidence

MAX_TOKENS = 1000
_PARTS = ("results", "expectation", "design", "mechanism", "lessons")
"""Of the numbers' account, the most important first."""
_SIBLINGS = 4
_CHANGE_WORDS = 25
_FINDING_WORDS = (8, 70)
_NOTE_WORDS = 60

Part = Annotated[str, Field(min_length=20, max_length=900)]
Finding = Annotated[str, Field(min_length=20, max_length=500)]


class Account(BaseModel):
    """What a model answers, in the order in which it should think."""

    model_config = ConfigDict(extra="forbid")

    design: Part
    mechanism: Part
    lessons: Part
    findings: Annotated[list[Finding], Field(min_length=1, max_length=3)]


class MindAnalyst:
    """An `Analyst` that asks a model, where an experiment was trained and there is something to compare it with."""

    def __init__(self, mind: Mind, numbers: Analyst, say: Callable[[str], None]) -> None:
        """`numbers` measures and scores. `say` is told where the model has no part in an account."""
        self._mind = mind
        self._numbers = numbers
        self._say = say

    async def analyse(self, experiment: Experiment, context: Evidence) -> Analysis:
        """The model's account of the numbers, or where it gave none that of the numbers alone, with a note of it."""
        account = await self._numbers.analyse(experiment, context)
        if not experiment.runs or not _is_comparable(experiment, context):
            return account
        try:
            found = await self._mind.ask(question(experiment, context, account))
        except MindError as error:
            self._say(f"#{experiment.index}: {error}; the account is made from the numbers alone")
            return account.model_copy(update={"note": shortened(f"The model gave no account: {error}", _NOTE_WORDS)})
        parts = {name: " ".join(getattr(found, name).split()) for name in ("design", "mechanism", "lessons")}
        roles = _roles(experiment, context)
        findings = tuple(text for text in _searchable_ones(found, roles) if _fault_of(text) is None)
        return account.model_copy(update={**parts, "findings": findings, "author": "model"})


def question(experiment: Experiment, context: Evidence, account: Analysis) -> Question[Account]:
    """Asks why the numbers are as they are, and what to look for in the literature."""
    parent = context.parent
    source = experiment.proposal.source
    code = bare_difference(source, parent.proposal.source) if parent else bare(source)
    measured = "\n".join(getattr(account, part) for part in _PARTS)
    relatives = "\n".join(_relatives(experiment, context))
    roles = _roles(experiment, context)
    return Question(
        role=Role.ANALYST,
        prompt=fitted(
            "analyst",
            design=experiment.proposal.name,
            parent=parent.proposal.name if parent else "",
            motivation=experiment.proposal.motivation,
            code=code,
            account=measured,
            relatives=relatives,
        ),
        answer=Account,
        temperature=0.3,
        max_tokens=MAX_TOKENS,
        complaint=lambda answer: complaint_about(answer, measured=f"{measured}\n{relatives}", code=code, roles=roles),
        subject=str(experiment.index),
    )


def complaint_about(answer: Account, *, measured: str, code: str, roles: Mapping[str, str]) -> str | None:
    """What the model should mend: a number that it was not given, or a finding that no search could use.

    A search has no use for measured amounts, names of designs and long stories in findings; they are replaced and cut
    and not complained about, because a small model repeats them. One finding that can be used is enough.
    """
    for part in ("design", "mechanism", "lessons"):
        if unknown := invented(getattr(answer, part), measured, code):
            return f"'{part}' states {listed(unknown)}, which was not measured; leave out what you were not given."
    faults = [_fault_of(finding) for finding in _searchable_ones(answer, roles)]
    return None if None in faults else f"Finding 1 {faults[0]}."


def _fault_of(finding: str) -> str | None:
    """Why it can't be searched with; None where it can."""
    words = len(finding.split())
    if not _FINDING_WORDS[0] <= words <= _FINDING_WORDS[1]:
        return f"has {words} words; describe one symptom in a sentence of 15 to 40 words"
    if stated := figures(finding):
        return f"states {stated[0].told}; say in words what was observed, without numbers"
    return None


def _is_comparable(experiment: Experiment, context: Evidence) -> bool:
    relatives = (context.parent, context.reference)
    return any(other is not None and other.index != experiment.index for other in relatives)


def _searchable_ones(answer: Account, roles: Mapping[str, str]) -> list[str]:
    return [_first_sentences(_searchable(finding, roles)) for finding in answer.findings]


def _first_sentences(text: str) -> str:
    """As many as may be searched with, the first in any case."""
    first, *others = re.split(r"(?<=[.!?])\s+", text.strip())
    for sentence in others:
        if len(f"{first} {sentence}".split()) > _FINDING_WORDS[1]:
            break
        first = f"{first} {sentence}"
    return first


def _searchable(finding: str, roles: Mapping[str, str]) -> str:
    """The finding without measured amounts, and with designs called by what they are to the experiment."""
    for name in sorted(roles, key=len, reverse=True):  # one may be the beginning of another
        finding = re.sub(rf"\A{re.escape(name)}\b", capitalised(roles[name]), finding, flags=re.IGNORECASE)
        finding = re.sub(rf"\b{re.escape(name)}\b", roles[name], finding, flags=re.IGNORECASE)
    return without_amounts(finding)


def _roles(experiment: Experiment, context: Evidence) -> dict[str, str]:
    """What the designs of a prompt are, by their names, as far as these are no words of the language."""
    siblings = {sibling.proposal.name: "a sibling" for sibling in context.siblings}
    others = {"the grandparent": context.grandparent, "the reference": context.reference, "the parent": context.parent}
    roles = {**siblings, **{other.proposal.name: role for role, other in others.items() if other is not None}}
    roles[experiment.proposal.name] = "the design"
    return {
        name: role
        for name, role in roles.items()
        if any(not c.isalpha() or c.isupper() for c in name[1:]) and " " not in name
    }


def _relatives(experiment: Experiment, context: Evidence) -> Iterator[str]:
    """The step to the parent and those of the latest siblings, each with what it changed and what that moved."""
    parent, noise = context.parent, context.noise_nats
    if parent is None:
        return
    if context.grandparent is not None:
        yield f"- the parent, itself a child of the grandparent: {_step(parent, context.grandparent, noise)}"
    siblings = [sibling for sibling in context.siblings if sibling.index != experiment.index]
    for sibling in siblings[-_SIBLINGS:]:
        yield f"- {sibling.proposal.name}, another child of the parent: {_step(sibling, parent, noise)}"


def _step(one: Experiment, other: Experiment, noise_nats: float | None) -> str:
    """What `one` changed on top of `other`, and the differences that this made."""
    change = shortened(one.proposal.change, _CHANGE_WORDS)
    if not isinstance(one.outcome, Measured):
        return f"{change} {ending(one.outcome)}".strip()
    language, recall = language_difference(one, other, noise_nats), accuracy_difference(one, other)
    told = [f"language loss {nats(language, other.proposal.name)}"] if language else []
    told += [f"recall {points(recall, other.proposal.name)}"] if recall else []
    return f"{change} {'; '.join(told) or 'not comparable'}.".strip()
