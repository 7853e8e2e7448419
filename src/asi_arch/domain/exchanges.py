"""What is said to language models and what comes back, as it is recorded; and the port of the record.

Each attempt is an `Exchange` of its own: `Sent` is stored before anything leaves, `Settlement` when its end is known.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple, Protocol

from asi_arch.domain.minds import Prompt, Role
from asi_arch.domain.record import Record, canonical_hash


class Turn(Record):
    """An earlier reply to the same question, and what was wrong with it."""

    reply: str
    complaint: str


class Request(Record):
    """One question as a backend gets it. Texts are free of secrets before a backend or the record sees them."""

    role: Role
    prompt: Prompt
    form: str = ""
    """Name of the answer's form."""
    json_schema: str = ""
    """The answer's JSON schema as JSON; empty asks for plain text."""
    temperature: float = 0.7
    max_tokens: int = 4096
    subject: str = ""
    turns: tuple[Turn, ...] = ()
    occurrence: int = 0
    """How often the very same question was asked before; several samples of one question differ in this only."""

    @property
    def key(self) -> str:
        """SHA-256 of everything but the occurrence: equal for equal questions, whichever model they are put to."""
        return canonical_hash(self.model_dump(mode="json", exclude={"occurrence"}))


class Ending(str, Enum):
    """How an attempt ended."""

    ANSWERED = "answered"
    TRUNCATED = "truncated"
    """Cut off at a limit of tokens or bytes; the text is kept in the record and never used."""
    REFUSED = "refused"
    GARBLED = "garbled"
    """The service replied with something that is no reply of a language model."""
    FAILED = "failed"
    """No work was done: not reached, overloaded or turned away. Costs nothing."""
    LOST = "lost"
    """It was sent, and whether it was answered is not known. Counted at what was reserved, as it may be billed."""


SPOKEN = (Ending.ANSWERED, Ending.TRUNCATED, Ending.REFUSED, Ending.GARBLED)
"""Endings with a reply, which the record can give again."""


class Reply(Record):
    """What came back from one attempt."""

    text: str
    ending: Ending = Ending.ANSWERED
    model: str = ""
    """The model that answered, in the service's words."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    """None where the service did not count: then what was reserved is taken as spent."""


class Charge(NamedTuple):
    """What was spent, or will be at most."""

    calls: int
    tokens: int
    usd: float | None
    """None where the price is unknown."""


class Sent(Record):
    """Stored before anything leaves."""

    request: Request
    mind: str
    """Service and model, such as 'openai:gpt-5-mini'."""
    at: float
    """Seconds since 1970."""
    reserved: Charge


class Settlement(Record):
    """Stored when the end is known."""

    reply: Reply
    at: float
    latency_s: float
    spent: Charge
    error: str = ""


class Exchange(NamedTuple):
    """One attempt. Without a settlement it is under way, or its process died."""

    number: int
    sent: Sent
    settlement: Settlement | None


class Exchanges(Protocol):
    """Durable record of all exchanges of one campaign. Raises `StoreError` where it can't be read or written."""

    def exclusively(self) -> AbstractContextManager[None]:
        """While inside, nobody else writes: to look at what is spent and reserve in one step."""
        ...

    def send(self, sent: Sent) -> int:
        """Record what is about to leave; its number. It is on the disk when this returns."""
        ...

    def settle(self, number: int, settlement: Settlement) -> None:
        """Record the end, once. What was given up as lost may still be settled by who waited for it."""
        ...

    def spent(self, *, subject: str | None = None, since: float = 0.0) -> Charge:
        """Everything spent, open exchanges at what they reserved; of one subject, or since a time.

        Exchanges of unknown price count as 0 USD here.
        """
        ...

    def replies(self, key: str) -> list[Reply]:
        """Replies to the question with this key, oldest first, without attempts that brought none."""
        ...

    def exchanges(self, after: int = 0) -> Iterable[Exchange]:
        """Those with a number above `after`, oldest first, read lazily."""
        ...

    def open_ones(self) -> list[Exchange]:
        """Those without a settlement."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...
