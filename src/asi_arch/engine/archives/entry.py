"""What every format is read into, with the bounds of what is accepted and the cleaning of others' text."""

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from asi_arch.domain.errors import ArchiveError
from asi_arch.domain.outcome import Measured, Outcome
from asi_arch.domain.published import Origin, Published

MAX_ENTRIES: Final = 200_000
MAX_PROGRAM_BYTES: Final = 1 << 20
_MAX_NAME: Final = 200
_MAX_TEXT: Final = 20_000
_SHOWN: Final = 10
"""Complaints about one archive."""

Tick = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""


class Entry(NamedTuple):
    """One design as others have recorded it."""

    number: int
    """Of the experiment here."""
    parent: int | None
    place: str
    """Where it stands in the files, for people."""
    name: str
    published: Published
    source: str = ""
    """Its program; empty where it was not published."""
    motivation: str = ""
    change: str = ""
    references: tuple[int, ...] = ()
    outcome: Outcome = Measured()
    at: float = 0.0
    """Unix time at which it was made; 0 where that is not known."""

    @property
    def rank(self) -> float | None:
        """What it is ranked by; None for one that failed, whatever score was written down."""
        return self.published.score if self.outcome.kind == "measured" else None


class Archive(NamedTuple):
    """A whole campaign by others."""

    origin: Origin
    entries: list[Entry]
    """By number."""
    notes: tuple[str, ...] = ()
    """What was left out, or is worth knowing, one sentence each."""


def one_line(text: str, otherwise: str = "") -> str:
    """A text as a name: white space as single blanks, nothing that can't be printed, at most 200 characters."""
    blanks = " ".join("".join(c if c.isprintable() else " " * c.isspace() for c in text).split())
    return blanks[:_MAX_NAME].strip() or otherwise


def prose(text: object, most: int = _MAX_TEXT) -> str:
    """A text of several lines without control characters, cut at `most`; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    return storable("".join(c for c in text[:most] if c in "\n\t" or unicodedata.category(c) != "Cc")).strip()


def storable(text: str) -> str:
    """JSON can name halves of characters, which no file can hold."""
    return text.encode("utf-8", errors="replace").decode()


def finite(value: object) -> float | None:
    """A number that can be stored and compared; None for anything else, not-a-number and infinity included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def refuse(what: str, complaints: Sequence[str]) -> None:
    """Raises `ArchiveError` with the first ten complaints, where there are any."""
    if complaints:
        more = f"\n  and {len(complaints) - _SHOWN:,} more" if len(complaints) > _SHOWN else ""
        lines = "".join(f"\n  {text}" for text in complaints[:_SHOWN])
        raise ArchiveError(f"{what} can't be imported, nothing was stored:{lines}{more}")


def require_few(what: str, count: int) -> None:
    """Raises `ArchiveError` for more designs than are taken over."""
    if count > MAX_ENTRIES:
        raise ArchiveError(f"{what} holds {count:,} designs; at most {MAX_ENTRIES:,} can be imported")


def circular(entries: Iterable[Entry]) -> list[str]:
    """A complaint for every circle of parents; an entry whose parent is not among them starts a line of its own."""
    known = {entry.number: entry for entry in entries}
    settled: set[int] = set()
    found: list[str] = []
    for start in known:
        path = _unsettled(start, known, settled)
        if path and (above := known[path[-1]].parent) in path:
            circle = [*path[path.index(above) :], above]
            found.append(f"{known[above].place}: is its own ancestor ({' -> '.join(f'#{i}' for i in circle[:8])})")
        settled.update(path)
    return found


def _unsettled(start: int, known: Mapping[int, Entry], settled: set[int]) -> list[int]:
    """From `start` upwards, as far as nobody has gone before."""
    path: dict[int, None] = {}
    number: int | None = start
    while number is not None and number in known and number not in settled and number not in path:
        path[number] = None
        number = known[number].parent
    return list(path)
