"""The Researcher for small models: the model picks mechanisms from the catalogue, the composer writes the code.

A model of one or two billion parameters writes wrong PyTorch, but it fills a form reliably. So it is asked for what to
take out of its parent and what to put in, with the reason; all that it can name exists and fits together.
"""

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.composer import origin_of
from asi_arch.agents.composer.design import MAX_MATRICES, Design, Part, part_of, settle
from asi_arch.agents.composer.mechanism import EXCLUSIVE, Family, Mechanism, Setting
from asi_arch.agents.composer.writing import program_of, proposed
from asi_arch.agents.english import listed
from asi_arch.agents.minds.elsewhere import asking_role, elsewhere
from asi_arch.agents.minds.forecast import Forecast, Sentences
from asi_arch.agents.minds.prompting import fitted
from asi_arch.agents.minds.telling import agenda_of, experience_of, failure_of, idea_of, numbers, shortened
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.minds import Mind, Question, Role
from asi_arch.domain.ports import Brief, Known

MAX_TOKENS = 700
_PASSAGE_WORDS = 24
_EXPERIENCE_WORDS = 30
MAX_MOVES = 4
"""Mechanisms that one answer may add, and that it may remove."""


def _known(key: str) -> str:
    if key not in CATALOGUE:
        raise ValueError(f"there is no mechanism {key!r}; take one of the list")
    return key


MechanismKey = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(CATALOGUE), "title": "mechanism"})
]


_SETTING_NAMES = sorted({name for mechanism in CATALOGUE.values() for name in mechanism.settings})
_VALUE_CHARS = 16


class SettingWish(BaseModel):
    """One setting of a mechanism, its value written as in the list."""

    model_config = ConfigDict(extra="forbid")

    mechanism: MechanismKey
    # Only the form bounds these: a model that is free to go on counts until its tokens end; what is none of the list
    # spoils no idea.
    setting: Annotated[str, WithJsonSchema({"type": "string", "enum": _SETTING_NAMES, "title": "setting"})]
    value: Annotated[str, WithJsonSchema({"type": "string", "maxLength": _VALUE_CHARS, "title": "value"})]


class Sketch(BaseModel):
    """What a model answers. The order of the fields is the order in which it thinks."""

    model_config = ConfigDict(extra="forbid")

    weakness: Sentences
    """Of the parent."""
    remove: Annotated[list[MechanismKey], Field(max_length=MAX_MOVES)]
    add: Annotated[list[MechanismKey], Field(max_length=MAX_MOVES)]
    settings: Annotated[list[SettingWish], Field(max_length=MAX_MOVES)]
    motivation: Sentences
    expectation: Forecast


def sketch_for(design: Design | None) -> type[Sketch]:
    """The form for this parent: only what it has can be removed, only what it lacks can be added."""
    has = design.keys if design else ()
    lacks = tuple(key for key in CATALOGUE if key not in has)
    fields: dict[str, Any] = {"add": (_some_of(lacks), ...), "remove": (_some_of(has), ...)}
    return create_model("Sketch", __base__=Sketch, **fields)


def _some_of(keys: Sequence[str]) -> Any:
    items = Annotated[MechanismKey, WithJsonSchema({"type": "string", "enum": list(keys)})] if keys else MechanismKey
    return Annotated[list[items], Field(max_length=MAX_MOVES if keys else 0)]


class Designer:
    """A `Researcher` whose ideas are a model's and whose code is the composer's."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """A new consistent design near the parent's. Raises `MindError` where the model gave none."""
        known = brief.known()
        asked = question(brief, known)
        sketch = await self._mind.ask(asked)
        shown = [passage for passage in known.passages if idea_of(passage, _PASSAGE_WORDS) in asked.prompt.user]
        return _proposal(brief, sketch).model_copy(update={"passages": tuple(p.entry.id for p in shown)})


def question(brief: Brief, known: Known) -> Question[Sketch]:
    """The form, with as much beside it as a small model reads; an answer without a new design is complained about."""
    origin = origin_of(brief.parent)
    asked = fitted(
        "designer",
        {
            "agenda": agenda_of(brief),
            "references": [
                (
                    e.proposal.name,
                    ", ".join(e.proposal.mechanisms),
                    numbers(e, known.baseline, known.noise_nats),
                    taught,
                )
                for e, taught in zip(known.references, experience_of(known, _EXPERIENCE_WORDS), strict=True)
            ],
            "failures": [failure_of(e) for e in known.failures],
            "passages": [idea_of(passage, _PASSAGE_WORDS) for passage in known.passages],
        },
        families=_families(),
        exclusive=listed(sorted(family.value for family in EXCLUSIVE)),
        parent=None if origin is None else origin.name,
        parts=[] if origin is None else [_part_in_words(part) for part in origin.design.parts],
        numbers=numbers(known.parent, known.baseline, known.noise_nats) if known.parent else "",
        lessons=shortened(known.parent.analysis.lessons, 60) if known.parent and known.parent.analysis else "",
        is_condensed=bool(known.experience),
        noise=known.noise_nats,
        most=MAX_MOVES,
        **elsewhere(brief),
    )
    return Question(
        role=asking_role(brief, Role.DESIGNER),
        prompt=asked,
        answer=sketch_for(origin.design if origin else None),
        temperature=0.9,
        max_tokens=MAX_TOKENS,
        complaint=lambda sketch: _complaint(brief, sketch),
        subject=str(brief.experiment),
    )


def design_of(sketch: Sketch, start: Design | None) -> Design:
    """The consistent design that a sketch asks for; what it adds wins over what was there.

    A setting that does not exist, or a value that is none of its choices, leaves the mechanism as it is; of several
    additions to a family with room for one the first counts, and one that makes no sense where it would stand is left
    out as long as another part of the wish remains. That spoils no idea, and what was changed is told from the design
    and not from the sketch. Raises `ValueError` with what else is wrong, in the model's own words.
    """
    kept: dict[str, Part] = {part.key: part for part in (start.parts if start else ())}
    if unknown := [key for key in sketch.remove if key not in kept]:
        raise ValueError(f"'remove' names {listed(unknown)}, which the parent does not have")
    if both := [key for key in sketch.add if key in sketch.remove]:
        raise ValueError(f"{listed(both)} can't be both added and removed")
    if there := [key for key in sketch.add if key in kept]:
        raise ValueError(f"'add' names {listed(there)}, which the parent has already; use 'settings' to change it")
    kept = {key: part for key, part in kept.items() if key not in sketch.remove}
    new = {key: part_of(key) for key in sketch.add}
    for wish in sketch.settings:
        home = new if wish.mechanism in new else kept
        if wish.mechanism in home:
            home[wish.mechanism] = _with(home[wish.mechanism], wish)
    design = settle([*new.values(), *kept.values()], barred=frozenset(sketch.remove))
    families = [CATALOGUE[key].family for key in sketch.add if key in design]
    excess = {key for key in sketch.add if CATALOGUE[key].family in EXCLUSIVE.intersection(families)}
    lost = [key for key in sketch.add if key not in design and key not in excess]
    if lost and not (sketch.remove or any(key in design for key in sketch.add)):
        raise ValueError(_why_lost(lost, sketch.add))
    if design.matrices > MAX_MATRICES:
        raise ValueError("this needs more parameters than there are; add less, or remove a branch or a gate")
    return design


def _proposal(brief: Brief, sketch: Sketch) -> Proposal:
    origin = origin_of(brief.parent)
    design = design_of(sketch, origin.design if origin else None)
    return proposed(design, program_of(design), origin, Author.DESIGNER).model_copy(
        update={
            "motivation": sketch.motivation,
            "expectation": sketch.expectation.words,
            "parent": brief.parent_index if origin else None,
            "references": tuple(brief.reference_indices) if origin else (),
        }
    )


def _complaint(brief: Brief, sketch: Sketch) -> str | None:
    try:
        proposal = _proposal(brief, sketch)
    except ValueError as error:
        return f"{error}."
    if (index := brief.taken.get(proposal.fingerprint)) is None:
        return None
    return f"This very design was tried as experiment {index}; choose another combination."


def _with(part: Part, wish: SettingWish) -> Part:
    setting = re.split("[:=]", wish.setting)[0].strip()
    choices = part.mechanism.settings.get(setting, ())
    value = next((choice for choice in choices if _written(choice) == _normal(wish.value)), None)
    if value is None:
        return part
    return part.model_copy(update={"settings": {**part.settings, setting: value}})


def _why_lost(lost: list[str], added: list[str]) -> str:
    mechanism = CATALOGUE[lost[0]]
    if mechanism.least_paths:
        return f"{lost[0]} makes sense only with {mechanism.least_paths} side paths or more (family branch)"
    groups = [listed(list(group)) for group in mechanism.within]
    if groups:
        return f"{lost[0]} makes sense only together with one of: {'; and one of: '.join(groups)}"
    others = listed([key for key in added if key != lost[0]] or ["what is kept"])
    return f"{lost[0]} can't stand beside {others}"


def _families() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {family.value: [] for family in Family}
    for mechanism in CATALOGUE.values():
        found[mechanism.family.value].append(_in_words(mechanism))
    return found


def _in_words(mechanism: Mechanism) -> str:
    """E.g. 'retention(half_life: 16, 64): it forgets at a fixed rate per head'."""
    settings = "; ".join(
        f"{name}: {', '.join(_written(choice) for choice in choices)}" for name, choices in mechanism.settings.items()
    )
    return f"{mechanism.key}{f'({settings})' if settings else ''}: {mechanism.title}"


def _part_in_words(part: Part) -> str:
    settings = ", ".join(f"{name}={_written(value)}" for name, value in part.settings.items())
    return f"{part.key}({settings})" if settings else part.key


def _written(choice: Setting) -> str:
    return "+".join(map(str, choice)) if isinstance(choice, tuple) else str(choice)


def _normal(value: str) -> str:
    """As a model may write it: with its name before it, brackets, commas, quotes."""
    parts = re.split("[:=]", value)[-1].strip().strip("()[]'\"").replace(" ", "").replace(",", "+").strip("+")
    return parts
