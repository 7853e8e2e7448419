"""Small steps in the space of designs: add, remove, swap, vary, cross; and a leap to a design from nothing.

`favour` holds an agenda's factors on the draw of mechanisms. An empty one leaves every draw as it is, bit for bit.
"""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.design import MAX_MATRICES, Design, Part, are_in_conflict, part_of, settle
from asi_arch.agents.composer.mechanism import EXCLUSIVE, Family, Mechanism

_GROUPS: tuple[frozenset[Family], ...] = (
    frozenset({Family.UPDATE, Family.WRITE}),
    frozenset({Family.DECAY, Family.TIMESCALE}),
    frozenset({Family.INPUT}),
    frozenset({Family.FEATURES, Family.ADDRESS}),
    frozenset({Family.BRANCH, Family.ROUTING, Family.ROUTING_SHAPE}),
    frozenset({Family.NORM, Family.GATE, Family.OUTPUT}),
)
"""Families that are inherited together."""

_TRIES = 20

Favour = Mapping[str, float]
"""Mechanism -> factor on its weight; 1 for those that are not in it."""
NO_FAVOUR: Favour = MappingProxyType({})


def mutated(design: Design, rng: Random, favour: Favour = NO_FAVOUR) -> Design:
    """A neighbour of `design` within the parameter budget; rarely `design` itself, when no step was found."""
    for _ in range(_TRIES):
        step = rng.choices((_add, _vary, _swap, _remove), weights=(4, 2, 2, 2))[0]
        found = step(design, rng, favour)
        if found != design and found.matrices <= MAX_MATRICES:
            return found
    return design


def crossed(design: Design, other: Design, rng: Random) -> Design:
    """`design` with one group of families (say decay, or paths and routing) taken over from `other`."""
    usable = [
        group for group in _GROUPS if _members(other, group) != _members(design, group) and _members(other, group)
    ]
    if not usable:
        return design
    group = rng.choice(usable)
    kept = [part for part in design.parts if part.mechanism.family not in group]
    child = settle([*_members(other, group), *kept], rng)
    return child if child.matrices <= MAX_MATRICES else design


def invented(rng: Random, favour: Favour = NO_FAVOUR) -> Design:
    """A design from nothing: an update rule and a handful of mechanisms, drawn by their weights."""
    for _ in range(_TRIES):
        updates = [m for m in CATALOGUE.values() if m.family is Family.UPDATE]
        parts = [part_of(_drawn(updates, rng, favour).key, rng)]
        rest = [m for m in CATALOGUE.values() if m.family is not Family.UPDATE]
        for _ in range(rng.randint(4, 12)):
            mechanism = _drawn(rest, rng, favour)
            rest.remove(mechanism)
            parts.append(part_of(mechanism.key, rng))
        design = settle(parts, rng)
        if design.matrices <= MAX_MATRICES:
            return design
    return settle([part_of("delta_rule", rng)], rng)


def _members(design: Design, group: frozenset[Family]) -> list[Part]:
    return [part for part in design.parts if part.mechanism.family in group]


def _drawn(mechanisms: list[Mechanism], rng: Random, favour: Favour) -> Mechanism:
    weights = [mechanism.weight * favour.get(mechanism.key, 1.0) for mechanism in mechanisms]
    return rng.choices(mechanisms, weights=weights)[0]


def _add(design: Design, rng: Random, favour: Favour) -> Design:
    absent = [m for m in CATALOGUE.values() if m.key not in design and _fits(m, design)]
    return settle([part_of(_drawn(absent, rng, favour).key, rng), *design.parts], rng) if absent else design


def _fits(mechanism: Mechanism, design: Design) -> bool:
    """Whether it would make sense, without pushing out what is there."""
    has_place = all(any(key in design for key in group) for group in mechanism.within)
    return has_place and not any(are_in_conflict(mechanism, part.mechanism) for part in design.parts)


def _remove(design: Design, rng: Random, favour: Favour) -> Design:
    removable = [part for part in design.parts if part.mechanism.family is not Family.UPDATE]
    if not removable:
        return design
    gone = _unfavoured(removable, rng, favour) if favour else rng.choice(removable)
    return settle([part for part in design.parts if part != gone], rng, barred=frozenset({gone.key}))


def _unfavoured(parts: list[Part], rng: Random, favour: Favour) -> Part:
    return rng.choices(parts, weights=[1 / favour.get(part.key, 1.0) for part in parts])[0]


def _swap(design: Design, rng: Random, favour: Favour) -> Design:
    """Replace the member of an exclusive family by another one."""
    slots = [part for part in design.parts if part.mechanism.family in EXCLUSIVE]
    old = rng.choice(slots)
    others = [m for m in CATALOGUE.values() if m.family is old.mechanism.family and m.key != old.key]
    new = part_of(_drawn(others, rng, favour).key, rng)
    return settle([new, *(part for part in design.parts if part != old)], rng)


def _vary(design: Design, rng: Random, _favour: Favour) -> Design:
    """Move one setting to a neighbouring choice."""
    places = [(part, name) for part in design.parts for name in part.settings]
    if not places:
        return design
    part, name = rng.choice(places)
    choices = part.mechanism.settings[name]
    here = choices.index(part.settings[name])
    neighbours = [choices[i] for i in (here - 1, here + 1) if 0 <= i < len(choices)]
    moved = part.model_copy(update={"settings": {**part.settings, name: rng.choice(neighbours)}})
    return settle([moved, *(other for other in design.parts if other != part)], rng)
