"""Whether an idea is new: what is known of it before anything is trained."""

from enum import Enum
from typing import NamedTuple

from asi_arch.domain.record import Record


class Measure(str, Enum):
    """By what two motivations are alike."""

    MEANING = "meaning"
    """Embeddings: the same thought in other words is found."""
    WORDS = "words"
    """Shared pieces of words."""


class Decider(str, Enum):
    """Who decided whether an idea is new."""

    SIMILARITY = "similarity"
    """It lay outside the band in which similarity alone does not tell."""
    MIND = "mind"
    OVERLAP = "overlap"
    """Of what the programs change: no mind was there to ask."""


class Near(NamedTuple):
    """An earlier motivation that is like a text."""

    number: int
    """Of its experiment."""
    similarity: float
    """1 for the same text; around 0 for texts that have nothing in common."""


class Bands(NamedTuple):
    """What similarity alone decides: below the first an idea is new, from the second on it is a repeat."""

    new_below: float
    repeat_from: float


class Novelty(Record):
    """How a proposal stood among the earlier ones of its campaign when it was made."""

    nearest: int | None
    """Experiment with the most similar motivation; None where there was none yet."""
    similarity: float
    measure: Measure
    decider: Decider
    reason: str
    """One sentence."""
    is_repeat: bool = False
    """It repeats an earlier idea, and was taken because nothing newer was found."""
    discipline: str = ""
    """From which it was asked for; empty for the first idea."""
    disciplines: tuple[str, ...] = ()
    """All that were drawn, oldest first: one for every idea that was sent back."""
