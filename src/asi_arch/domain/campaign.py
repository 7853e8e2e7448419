"""A campaign: one profile, one data set, one seed; and the events that tell its story."""

from enum import Enum
from typing import Any

from pydantic import Field

from asi_arch.domain.profile import Profile
from asi_arch.domain.published import Origin
from asi_arch.domain.record import Record


class Campaign(Record):
    """The identity of a state folder. Resuming with another one is refused."""

    profile: Profile
    seed: int
    data_fingerprint: str
    """Hash of the corpus and the generators' version."""
    data_description: str
    """E.g. 'standard library of Python 3.11.7, 12.6 MB'."""
    version: str
    """Of asi-arch."""
    created_at: float
    origin: Origin | None = None
    """Where it was imported from; None for a campaign of this program's own."""

    @property
    def protocol(self) -> str:
        """Under which its runs are cached."""
        return self.profile.protocol_hash(self.data_fingerprint)


class EventKind(str, Enum):
    """What can happen to a campaign."""

    CREATED = "created"
    OPENED = "opened"
    PROPOSED = "proposed"
    REPAIRED = "repaired"
    REVIEWED = "reviewed"
    RUN_FINISHED = "run_finished"
    RECORDED = "recorded"
    SCORED = "scored"
    VAULT_OPENED = "vault_opened"
    VERIFIED = "verified"
    CALIBRATED = "calibrated"
    ABLATED = "ablated"
    """Mechanisms of the experiment's design were taken out one by one; the payload is the `Ablation`."""
    REFLECTED = "reflected"
    """An agenda was made; the payload is the agenda."""
    ROLLED_BACK = "rolled_back"
    """The agenda of the payload's snapshot no longer counts."""
    MIND_CHOSEN = "mind_chosen"
    """Which of several minds has the idea of this experiment; the payload says why."""
    MIND_PASSED_OVER = "mind_passed_over"
    """One of several minds could not be had, and the next was asked."""
    TRACED = "traced"
    """What the experiment's design is made of and where that comes from; the payload is the `Provenance`."""
    CLOSED = "closed"


class Event(Record):
    """Append-only: number, Unix time, kind, experiment and a small payload."""

    number: int
    at: float
    kind: EventKind
    experiment: int | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
