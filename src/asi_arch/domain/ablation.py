"""What each mechanism of a design is worth: the design trained with it and without it."""

from asi_arch.domain.record import Record
from asi_arch.domain.verdict import Comparison


class PartWorth(Record):
    """One mechanism taken out: the rest minus the whole, in pairs of seeds."""

    mechanism: str
    """Its key in the composer's catalogue."""
    title: str
    change: str
    """What the rest does without it, in a sentence: what it needs may come in, what needed it goes."""
    name: str
    """Of the rest."""
    sha: str
    """Of the rest's source."""
    work: float | None = None
    """Floating-point operations of the rest over those of the whole; None where its code could not be built."""
    comparisons: tuple[Comparison, ...] = ()
    """Language loss and recall accuracy, the whole being the baseline; empty where there is a `failure`."""
    q_values: tuple[float, ...] = ()
    """Of the comparisons, over all those of the ablation."""
    failure: str = ""
    """Why the rest could not be compared."""


class Ablation(Record):
    """The mechanisms of one experiment's design, each taken out by itself."""

    index: int
    sha: str
    """Of the whole design's source."""
    protocol: str
    seeds: tuple[int, ...]
    parts: tuple[PartWorth, ...]
    at: float
    containment: str
