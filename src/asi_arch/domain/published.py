"""What others have measured and published. Taken over as it was written down, never checked here."""

from pydantic import Field

from asi_arch.domain.record import Record


class CurvePoint(Record):
    """The training loss after `step` steps."""

    step: int
    loss_nats: float


class Published(Record):
    """Of one design. What is missing was not published; nothing here is comparable with what this program measures."""

    label: str = ""
    """Its name in the source's files."""
    score: float | None = None
    """What its search went by; higher is better. See `Origin.score`."""
    parameters: int | None = None
    """As published, often rounded."""
    curve: tuple[CurvePoint, ...] = ()
    """Training loss in nats, by step."""
    tasks: dict[str, float] = Field(default_factory=dict)
    """Benchmark -> result as published: an accuracy from 0 to 1, or a perplexity where the name says so."""


class Origin(Record):
    """Where an imported campaign comes from. Such a campaign can be read and never continued."""

    format: str
    """'tables', 'openevolve' or 'shinka'."""
    title: str
    """One line for people: what it is and how much of it."""
    files: dict[str, str]
    """Name of every file that was read -> its SHA-256."""
    score: str
    """What `Published.score` means, in a few words."""
