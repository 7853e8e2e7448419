"""A design without one of its mechanisms, made consistent again and written as code."""

from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.agents.composer.argument import Origin
from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.design import Design, settle
from asi_arch.agents.composer.rendering import rendered
from asi_arch.agents.composer.writing import program_of, proposed
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import UserError


class Rest(NamedTuple):
    """What is left of a design without a mechanism."""

    mechanism: str
    title: str
    proposal: Proposal


def removable(whole: Proposal, parent: Proposal | None) -> tuple[str, ...]:
    """The mechanisms that a design has and its parent lacks; all where that is none. Raises `UserError` for free code.

    A parent without a design has no mechanisms that could be told.
    """
    keys = _design(whole).keys
    inherited = Design.model_validate_json(parent.design).keys if parent and parent.design else ()
    return tuple(key for key in keys if key not in inherited) or keys


def rests(whole: Proposal, mechanisms: Sequence[str]) -> list[Rest]:
    """The design without each of these.

    What makes no sense without it goes as well, and what others need comes in its place. Raises `UserError` for code
    that is not the composer's, and for a mechanism that the design does not have.
    """
    design = _design(whole)
    if unknown := [key for key in mechanisms if key not in design]:
        raise UserError(f"{whole.name} has no {unknown[0]!r}; it is made of {', '.join(design.keys)}")
    return [Rest(key, CATALOGUE[key].title, _without(whole, design, key)) for key in mechanisms]


def _without(whole: Proposal, design: Design, key: str) -> Proposal:
    rest = settle((part for part in design.parts if part.key != key), barred=frozenset({key}))
    return proposed(rest, program_of(rest), Origin(whole.name, design, is_guessed=False), Author.COMPOSER)


def _design(whole: Proposal) -> Design:
    """Raises `UserError` where the program is not, or no longer, what the composer writes of the design."""
    design = Design.model_validate_json(whole.design) if whole.design else None
    if design is None or rendered(design, whole.name) != whole.source:
        raise UserError(
            f"{whole.name} can't be taken apart: its program was written or mended freely, and only what the composer"
            " writes has parts that it can leave out. Compare it with its parent instead: asi-arch show, or the page"
            " 'Compare' of asi-arch serve"
        )
    return design
