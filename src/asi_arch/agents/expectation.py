"""What a proposal expected, read from its words, and what became of it."""

import re
from enum import Enum
from typing import NamedTuple

from asi_arch.agents.comparison import Difference, accuracy_difference, language_difference, nats, points
from asi_arch.domain.experiment import MQAR, Experiment

_QUANTITIES = {
    "language loss": "language",
    "multi-query recall": MQAR,
    "recall accuracy": "recall",
    "recall": "recall",
    "state tracking": "state_tracking",
    "copying": "random_offset_copy",
    "cost": "cost",
}
_TITLES = {
    "language": "language loss",
    MQAR: "recall of several associations",
    "recall": "recall accuracy",
    "state_tracking": "state tracking",
    "random_offset_copy": "copying from a distance",
    "cost": "cost",
}
_DIRECTIONS = {"fall": -1, "down": -1, "lower": -1, "rise": 1, "up": 1, "higher": 1, "hold": 0, "unchanged": 0}
_WORDS = re.compile(rf"\b({'|'.join(_QUANTITIES)}|(?:{'|'.join(_DIRECTIONS)})(?=s?\b))", re.IGNORECASE)
_EQUAL_COST = 0.02
"""Counted work within this share is the same."""


class Fate(str, Enum):
    """What became of an expectation."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"


class Expectation(NamedTuple):
    """A quantity ('language', 'recall', 'cost' or a synthetic task) and where it should go: -1, 0 or 1."""

    quantity: str
    direction: int

    @property
    def words(self) -> str:
        """E.g. 'language loss to fall'."""
        return f"{_TITLES[self.quantity]} to {_verb(self.direction)}"


class Settled(NamedTuple):
    """An expectation with its fate and the number behind it in words."""

    fate: Fate
    told: str


def expectations(text: str) -> list[Expectation]:
    """In the order of the text, each quantity once; a quantity counts with the first direction after it."""
    found: dict[str, int] = {}
    pending: list[str] = []
    for clause in re.split(r"[.;,]", text.lower()):
        for word in _WORDS.findall(clause):
            if word in _QUANTITIES:
                pending.append(_QUANTITIES[word])
            else:
                found.update({quantity: _DIRECTIONS[word] for quantity in pending if quantity not in found})
                pending = []
        pending = []
    return [Expectation(*item) for item in found.items()]


def settled(expectation: Expectation, own: Experiment, other: Experiment, noise_nats: float | None) -> Settled:
    """What the comparison with `other` says about it; open where the difference is within the noise."""
    title = _TITLES[expectation.quantity]
    if expectation.quantity == "cost":
        return _settled_cost(expectation.direction, own, other)
    if expectation.quantity == "language":
        difference = language_difference(own, other, noise_nats)
    else:
        difference = accuracy_difference(own, other, None if expectation.quantity == "recall" else expectation.quantity)
    if difference is None:
        return Settled(Fate.OPEN, f"{title} was to {_verb(expectation.direction)}, but was not measured on both sides")
    say = nats if expectation.quantity == "language" else points
    told = f"{title} was to {_verb(expectation.direction)} and came out {say(difference, other.proposal.name)}"
    return Settled(_fate(expectation.direction, difference), told)


def _fate(direction: int, difference: Difference) -> Fate:
    if not difference.error:
        return Fate.OPEN
    if direction == 0:
        return Fate.MISSED if difference.is_evident else Fate.MET
    if not difference.is_evident:
        return Fate.OPEN
    return Fate.MET if difference.value * direction > 0 else Fate.MISSED


def _settled_cost(direction: int, own: Experiment, other: Experiment) -> Settled:
    mine, theirs = (e.checks.footprint if e.checks else None for e in (own, other))
    if mine is None or theirs is None or not theirs.flops:
        return Settled(Fate.OPEN, f"cost was to {_verb(direction)}, but was not counted on both sides")
    ratio = mine.flops / theirs.flops
    moved = 0 if abs(ratio - 1.0) <= _EQUAL_COST else (1 if ratio > 1.0 else -1)
    told = f"cost was to {_verb(direction)} and came out at {ratio:.2f}x the operations of {other.proposal.name}"
    return Settled(Fate.MET if moved == direction else Fate.MISSED, told)


def _verb(direction: int) -> str:
    return {-1: "fall", 0: "hold", 1: "rise"}[direction]
