"""A research agenda: what a campaign learnt about itself up to a snapshot, and how that steers what comes next.

Agendas are events. One that was rolled back stays on record and steers nothing; the one before it is in force again.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pydantic import Field

from asi_arch.domain.campaign import Event, EventKind
from asi_arch.domain.record import Record

LEAST_WEIGHT: Final = 0.5
MOST_WEIGHT: Final = 2.0
"""Between these lies every factor by which a mechanism is drawn more or less often than otherwise."""

STATISTICS: Final = "statistics"


def bounded(weight: float) -> float:
    """The weight within its bounds, to two digits, so that rounding on another machine changes no draw."""
    return round(min(MOST_WEIGHT, max(LEAST_WEIGHT, weight)), 2)


class Effect(Record):
    """What a mechanism does to a number, all else equal: estimate and standard deviation of what is believed."""

    value: float
    error: float

    @property
    def belief(self) -> float:
        """The probability that it is above zero."""
        return 0.5 * (1 + math.erf(self.value / (self.error * math.sqrt(2)))) if self.error > 0 else 0.5


class Credit(Record):
    """What is known of one mechanism."""

    mechanism: str
    tried: int
    """Inventions that have it, whatever became of them."""
    recent: int
    """Inventions of the last batches that added it to their parent."""
    pairs: int
    """Children that differ from their parent in it, both with a result."""
    gain: Effect | None = None
    """Change of the measured part of the fitness, which is between 0 and 1; None without a pair."""
    loss_nats: Effect | None = None
    """Change of the language loss."""
    recall: Effect | None = None
    """Change of the recall accuracy."""


class Forecasts(Record):
    """What became of one kind of expectation, such as 'language loss should fall'."""

    quantity: str
    direction: int
    """-1: falls, 0: holds, 1: rises."""
    met: int = 0
    missed: int = 0
    open: int = 0


class Rating(Record):
    """How a mark of the judge goes with what was measured: Pearson's correlation with the measured gain."""

    name: str
    correlation: float
    inventions: int


class Waste(Record):
    """Inventions that came to nothing in one way, and the CPU time that they took."""

    outcome: str
    inventions: int
    cpu_s: float


class Crowd(Record):
    """A parent with many of the last batches' children."""

    parent: int
    children: int
    of: int


class Findings(Record):
    """The statistics behind an agenda."""

    inventions: int
    measured: int
    pairs: int
    """Children that could be compared with their parent, mechanism by mechanism."""
    noise_nats: float | None = None
    credits: tuple[Credit, ...] = ()
    over_explored: tuple[str, ...] = ()
    """Mechanisms that many of the last inventions added, without a clear gain."""
    hardly_tried: tuple[str, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    forecasts: tuple[Forecasts, ...] = ()
    ratings: tuple[Rating, ...] = ()
    """The judge's score first, then its marks."""
    waste: tuple[Waste, ...] = ()
    cpu_s: float = 0.0
    """Of all inventions."""


class Agenda(Record):
    """What researchers receive from `snapshot` on. A pure function of the experiments below it, or a model's word."""

    snapshot: int
    author: str = STATISTICS
    """'statistics', or 'model' where a language model wrote the sentences."""
    sentences: tuple[str, ...]
    weights: dict[str, float] = Field(default_factory=dict[str, float])
    """Factor on the draw of a mechanism by its key; 1 for those that are not named."""
    findings: Findings


class Standing(NamedTuple):
    """An agenda on record."""

    agenda: Agenda
    made_at: float
    """Unix time."""
    rolled_back_at: float | None = None

    @property
    def is_valid(self) -> bool:
        """Not rolled back."""
        return self.rolled_back_at is None


def standings(events: Iterable[Event]) -> list[Standing]:
    """All agendas of a campaign by snapshot, those that were rolled back included."""
    found: dict[int, Standing] = {}
    for event in events:
        if event.kind is EventKind.REFLECTED:
            agenda = Agenda.model_validate(event.payload)
            found[agenda.snapshot] = Standing(agenda, event.at)
        elif event.kind is EventKind.ROLLED_BACK and (known := found.get(int(event.payload["snapshot"]))):
            found[known.agenda.snapshot] = known._replace(rolled_back_at=event.at)
    return [found[snapshot] for snapshot in sorted(found)]


def in_force(known: Sequence[Standing], snapshot: int | None = None) -> Agenda | None:
    """The last valid agenda, of those up to `snapshot`; None where there is none."""
    valid = [s.agenda for s in known if s.is_valid and (snapshot is None or s.agenda.snapshot <= snapshot)]
    return max(valid, key=lambda agenda: agenda.snapshot, default=None)
