"""The embedded Researcher: takes a parent's design a step further and writes the code of the result."""

from random import Random
from typing import NamedTuple

from asi_arch.agents.composer.argument import Origin
from asi_arch.agents.composer.baselines import nearest_design
from asi_arch.agents.composer.design import Design
from asi_arch.agents.composer.mutation import NO_FAVOUR, crossed, invented, mutated
from asi_arch.agents.composer.writing import Program, program_of, proposed
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import LabError
from asi_arch.domain.ports import Brief

_ATTEMPTS = 200
_ATTEMPTS_PER_STRENGTH = 5
"""After so many repeats in a row one more mutation is made."""
_CROSS_PROBABILITY = 0.3
_MUTATIONS = (1, 2, 3)
_MUTATION_WEIGHTS = (5, 3, 2)


class Draft(NamedTuple):
    """A design before it is known to be new."""

    design: Design
    partner: int | None
    """Position in the brief's references of the one that was crossed in."""


class Composer:
    """A `Researcher` without a model: mutates and crosses typed designs, then writes them as readable code.

    Stateless; equal briefs and equally seeded generators give equal proposals, byte for byte.
    """

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """What `compose` gives."""
        return self.compose(brief, rng)

    def compose(self, brief: Brief, rng: Random) -> Proposal:
        """A program that `brief.taken` does not hold. Raises `LabError` if 200 ever bolder drafts are all taken."""
        origin = origin_of(brief.parent)
        for attempt in range(_ATTEMPTS):
            draft = _draft(origin, brief, rng, attempt // _ATTEMPTS_PER_STRENGTH)
            program = program_of(draft.design)
            if program.fingerprint not in brief.taken:
                return _proposal(brief, origin, draft, program)
        raise LabError(
            f"the composer found no new program in {_ATTEMPTS} drafts; {len(brief.taken)} programs are taken"
        )


def origin_of(parent: Proposal | None) -> Origin | None:
    """The parent's design, or the nearest to it where it is free code; None without a parent."""
    if parent is None:
        return None
    if parent.design:
        return Origin(parent.name, Design.model_validate_json(parent.design), is_guessed=False)
    return Origin(parent.name, nearest_design(parent.source), is_guessed=True)


def _draft(origin: Origin | None, brief: Brief, rng: Random, extra_mutations: int) -> Draft:
    """From nothing without an origin; else perhaps a cross, then one to three mutations and the extra ones."""
    favour = brief.agenda.weights if brief.agenda else NO_FAVOUR
    if origin is None:
        return Draft(invented(rng, favour), None)
    design, partner = origin.design, None
    mates = [i for i, reference in enumerate(brief.references) if reference.design]
    if mates and rng.random() < _CROSS_PROBABILITY:
        mate = rng.choice(mates)
        child = crossed(design, Design.model_validate_json(brief.references[mate].design), rng)
        design, partner = child, mate if child != design else None
    mutations = rng.choices(_MUTATIONS, weights=_MUTATION_WEIGHTS)[0] + extra_mutations
    for _ in range(mutations - (partner is not None)):
        design = mutated(design, rng, favour)
    return Draft(design, partner)


def _proposal(brief: Brief, origin: Origin | None, draft: Draft, program: Program) -> Proposal:
    return proposed(draft.design, program, origin, Author.COMPOSER).model_copy(
        update={
            "parent": brief.parent_index if origin else None,
            "partner": None if draft.partner is None else brief.reference_indices[draft.partner],
            "references": tuple(brief.reference_indices) if origin else (),
        }
    )
