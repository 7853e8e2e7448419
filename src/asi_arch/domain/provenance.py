"""What a design is made of and where each element comes from: cognition, experience, or neither (the paper's Table 3).

Provenances are events, the latest of an experiment counts. They are made after the fact and change no result.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from asi_arch.domain.campaign import Event, EventKind
from asi_arch.domain.cognition import Passage
from asi_arch.domain.record import Record


class Origin(str, Enum):
    """Where an element comes from."""

    COGNITION = "cognition"
    """A passage of the literature that the author was given."""
    EXPERIENCE = "experience"
    """An earlier experiment of the campaign that the author was shown, or an ancestor."""
    ORIGINAL = "original"
    """Neither of the two; it need not be new to the world."""


class Namer(str, Enum):
    """Who said what a design is made of."""

    DESIGN = "design"
    """The composer's typed description: exact."""
    CODE = "code"
    """What is recognised in the program by its calls: a part of it."""
    MODEL = "model"
    """A language model, with lines of the program as evidence."""


class Tracer(str, Enum):
    """Who said where the elements come from."""

    RECORDS = "records"
    """The mechanisms of the experiments, and the words of the passages, that the author was given."""
    MODEL = "model"


class Component(NamedTuple):
    """A mechanism that a program uses."""

    name: str
    lines: tuple[str, ...] = ()
    """Of the program, which show it; empty where the design says so."""


class Element(Record):
    """A component with its origin."""

    name: str
    lines: tuple[str, ...] = ()
    """As in `Component`."""
    origin: Origin | None
    """None where nothing is on record of what the author knew."""
    experiment: int | None = None
    """The evidence of EXPERIENCE."""
    paper: str = ""
    """The evidence of COGNITION: an arXiv id, or the id of a document of the user's."""
    reason: str = ""
    """In a sentence, where a model gave one."""


class Provenance(Record):
    """Of all elements of one experiment's design."""

    elements: tuple[Element, ...]
    named_by: Namer
    traced_by: Tracer
    note: str = ""
    """Why a model that was asked has no part in it, or what it was not shown."""

    @property
    def components(self) -> tuple[Component, ...]:
        """The elements without their origins."""
        return tuple(Component(element.name, element.lines) for element in self.elements)

    def count(self, origin: Origin) -> int:
        """Elements that come from there."""
        return sum(element.origin is origin for element in self.elements)


class Relative(NamedTuple):
    """An earlier experiment that an element may come from."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    name: str
    kinship: str
    """'parent', 'partner', 'reference', 'grandparent', 'ancestor'."""
    components: tuple[str, ...]
    was_shown: bool = True
    """Whether the author had it before its eyes."""


class Background(NamedTuple):
    """What is on record of what an author could draw on."""

    relatives: Sequence[Relative] = ()
    """Nearest first: parent, partner, references, then further ancestors."""
    passages: Sequence[Passage] = ()
    """What it was given of the literature, as far as it is still in the base."""
    is_recorded: bool = True
    """False for programs that came from outside the campaign."""


def provenances(events: Iterable[Event]) -> dict[int, Provenance]:
    """The latest of every experiment that has one, by index."""
    found: dict[int, Provenance] = {}
    for event in events:
        if event.kind is EventKind.TRACED and event.experiment is not None:
            found[event.experiment] = Provenance.model_validate(event.payload)
    return found
