"""Why a design should be tried: motivation, expectation and change, derived from its difference to its parent."""

from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.design import Design
from asi_arch.agents.composer.mechanism import EXCLUSIVE, Family, Mechanism, Setting
from asi_arch.agents.english import capitalised, listed

_BY_WEIGHT = (
    Family.UPDATE,
    Family.BRANCH,
    Family.WRITE,
    Family.DECAY,
    Family.ROUTING,
    Family.FEATURES,
    Family.TIMESCALE,
    Family.ROUTING_SHAPE,
    Family.INPUT,
    Family.ADDRESS,
    Family.OUTPUT,
    Family.GATE,
    Family.NORM,
)


class Origin(NamedTuple):
    """What a design was derived from."""

    name: str
    design: Design
    is_guessed: bool
    """Whether the design was only the nearest to free code."""


class Move(NamedTuple):
    """One setting that changed."""

    mechanism: Mechanism
    setting: str
    before: Setting
    after: Setting


class Argument(NamedTuple):
    """What a proposal says about itself."""

    motivation: str
    expectation: str
    change: str


def argument_for(design: Design, name: str, origin: Origin | None) -> Argument:
    """The case for `design` against its origin; for a design from nothing, the case for what it is built of."""
    if origin is None:
        chief = _ranked(design.keys)[:3]
        told = [_does(mechanism) for mechanism in chief]
        motivation = f"{name} is drawn from nothing, without a parent. {' '.join(told)}"
        return Argument(motivation, _expectation(chief[:2]), "A design from nothing.")
    added = _ranked([key for key in design.keys if key not in origin.design])
    removed = _ranked([key for key in origin.design.keys if key not in design])
    moves = _moves(origin.design, design)
    return Argument(
        motivation=_motivation(name, origin, added, removed, moves),
        expectation=_expectation(added[:2]) if added else _expectation_of_less(removed),
        change=_change(added, removed, moves),
    )


def _motivation(name: str, origin: Origin, added: list[Mechanism], removed: list[Mechanism], moves: list[Move]) -> str:
    guessed = f"{origin.name} is free code, so its nearest known design is modified. " if origin.is_guessed else ""
    if added:
        first, *others = added
        old = _replaced(first, removed)
        deed = f"puts {first.title} in the place of {old.title}" if old else f"adds {first.title}"
        text = f"{origin.name} {first.lack}. {name} {deed}: {first.does} (after {first.source})."
        if others:
            text += f" It also brings {listed([other.title for other in others])}."
        return f"{guessed}{text} {first.expects}"
    if removed:
        titles = listed([mechanism.title for mechanism in removed])
        return (
            f"{guessed}{name} leaves out {titles}, to see whether {origin.name} needs it. What does not help should go."
        )
    text = " ".join(f"{name} moves {_moved(move)}." for move in moves)
    return f"{guessed}{text} The best value depends on the data, and {origin.name} holds only one of its choices."


def _does(mechanism: Mechanism) -> str:
    return f"With {mechanism.title} {mechanism.does} (after {mechanism.source})."


def _expectation(mechanisms: Sequence[Mechanism]) -> str:
    return f"{' '.join(m.expects for m in mechanisms)} By how much is not known."


def _expectation_of_less(removed: Sequence[Mechanism]) -> str:
    if not removed:
        return "Language loss should fall if the new value suits the data better. By how much is not known."
    numbers = sorted({mechanism.moves.value for mechanism in removed} - {"cost"})
    told = f", and {listed(numbers)} should hold" if numbers else ""
    return f"Cost should fall{told}."


def _change(added: Sequence[Mechanism], removed: Sequence[Mechanism], moves: Sequence[Move]) -> str:
    """One sentence."""
    swaps = [(new, old) for new in added if (old := _replaced(new, removed))]
    plain = [new.title for new in added if not _replaced(new, removed)]
    gone = [old.title for old in removed if not any(old is pair[1] for pair in swaps)]
    clauses = [
        *(f"puts {new.title} in the place of {old.title}" for new, old in swaps),
        *([f"adds {listed(plain)}"] if plain else []),
        *([f"removes {listed(gone)}"] if gone else []),
        *(f"moves {_moved(move)}" for move in moves),
    ]
    sentence = "; ".join(clauses) or "rewrites the parent in the composer's words"
    return f"{capitalised(sentence)}."


def _replaced(new: Mechanism, removed: Sequence[Mechanism]) -> Mechanism | None:
    """What made room for `new` in an exclusive family."""
    return next((old for old in removed if old.family is new.family and new.family in EXCLUSIVE), None)


def _moved(move: Move) -> str:
    return f"'{move.setting.replace('_', ' ')}' of {move.mechanism.title} from {move.before} to {move.after}"


def _moves(before: Design, after: Design) -> list[Move]:
    return [
        Move(part.mechanism, setting, before.settings[part.key][setting], value)
        for part in after.parts
        if part.key in before
        for setting, value in part.settings.items()
        if before.settings[part.key][setting] != value
    ]


def _ranked(keys: Sequence[str]) -> list[Mechanism]:
    """Mechanisms, those that matter most first."""
    return sorted((CATALOGUE[key] for key in keys), key=lambda mechanism: _BY_WEIGHT.index(mechanism.family))
