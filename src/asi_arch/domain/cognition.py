"""What the literature knows: papers, the entries written from them, and the ports that find what fits a text."""

import re
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Protocol

from pydantic import Field, StringConstraints, field_validator, model_validator

from asi_arch.domain.record import Record

OWN_PREFIX = "own-"
"""Begins the id of a document that is not on arXiv."""
MAX_ENTRIES = 8
MAX_TRIGGER_CHARS = 1_000
"""About 250 tokens, which is what the embedding model reads of a text."""
MAX_PART_CHARS = 6_000
_ARXIV_ID = re.compile(r"(?P<year>\d\d)(?P<month>\d\d)\.(?P<number>\d{4,5})|[a-z-]+(?:\.[A-Z]{2})?/\d{7}")
_OWN_ID = re.compile(OWN_PREFIX + r"[a-z0-9][a-z0-9-]{2,60}")


class Theme(str, Enum):
    """What kind of idea a paper is about; the shelves of the base."""

    KERNELS = "kernels and feature maps"
    DELTA_RULE = "delta rule"
    DECAY = "decay and gates"
    STATE_SPACES = "state space models"
    CONVOLUTION = "long convolution"
    REGRESSION = "test-time regression"
    HYBRIDS = "hybrids"
    SPARSE = "sparse and memory"
    STATE_TRACKING = "state tracking"
    NORMALISATION = "normalisation and position"
    PROBES = "probes and search"
    TRAINING = "training and conversion"


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Trigger = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TRIGGER_CHARS)]
Part = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PART_CHARS)]


class Entry(Record):
    """One idea of a paper."""

    id: Line
    trigger: Trigger
    """The symptom that the idea cures, worded like a finding of the Analyst; what a search compares with first."""
    background: Part
    """What came before, and its limits."""
    algorithm: Part
    """The mechanism with its formula and its cost."""
    guidance: Part
    """How to build it in a causal mixer."""


class Paper(Record):
    """A paper and its entries. Entry ids are the paper's with a number behind it: 2406.06484-1."""

    arxiv: Line
    """The arXiv id without a version, or an id that begins with `own-` for a document that has none."""
    year: int = Field(ge=1950, le=2100)
    name: Line
    theme: Theme
    entries: tuple[Entry, ...] = Field(min_length=1, max_length=MAX_ENTRIES)

    @field_validator("arxiv")
    @classmethod
    def _has_the_form_of_an_id(cls, value: str) -> str:
        if complaint := complaint_about_id(value):
            raise ValueError(complaint)
        return value

    @model_validator(mode="after")
    def _numbers_its_entries(self) -> "Paper":
        for entry in self.entries:
            if not re.fullmatch(re.escape(self.arxiv) + r"-[1-9]\d?", entry.id):
                raise ValueError(f"entry id {entry.id!r} must be {self.arxiv}- and a number, such as {self.arxiv}-1")
        if len({entry.id for entry in self.entries}) < len(self.entries):
            raise ValueError("two entries have the same id; number them 1, 2, 3")
        return self


def complaint_about_id(value: str) -> str | None:
    """Why this can't be the id of a paper; None where it can.

    Says whether arXiv could have given the id out, not whether it has: nothing is asked over the network.
    """
    if value.startswith(OWN_PREFIX):
        return None if _OWN_ID.fullmatch(value) else f"id {value!r} must be own- and small letters, digits or hyphens"
    match = _ARXIV_ID.fullmatch(value)
    if match is None:
        return f"{value!r} is no arXiv id without version, such as 2406.06484; other documents have ids like own-notes"
    if match["month"] and not 1 <= int(match["month"]) <= 12:
        return f"arXiv id {value!r} names month {match['month']}; ids begin with year and month, such as 2406"
    if match["number"] and len(match["number"]) != (5 if int(match["year"]) >= 15 else 4):
        return f"arXiv id {value!r} must have 5 digits behind the point since 2015 and 4 before"
    return None


class Passage(Record):
    """An entry that fits a text, with what one needs to cite its paper."""

    arxiv: str
    year: int
    paper: str
    theme: Theme
    entry: Entry
    score: float
    """Higher fits better; comparable within one search only."""


class Cognition(Protocol):
    """Finds the entries whose trigger fits a finding."""

    def near(self, text: str, count: int = 3) -> Sequence[Passage]:
        """Up to `count` entries, best first, each of another paper; fewer where fewer have anything in common with it.

        Raises `UserError` for a text without a word.
        """
        ...


class Likeness(Protocol):
    """Compares texts."""

    def nearest(self, text: str, texts: Sequence[str], count: int) -> Sequence[int]:
        """Places in `texts` of the `count` most like `text`, best first, equal ones in their order.

        Fewer where fewer have anything in common with it. Equal arguments give equal answers.
        """
        ...
