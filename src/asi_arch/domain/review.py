"""Whether a program does what its author promises: what a reader doubted before it was trained, and the answer."""

from enum import Enum

from asi_arch.domain.record import Record


class Doubt(Record):
    """A place where the code may not do what was promised."""

    where: str
    """The piece of the program, as the reader saw it."""
    promised: str
    """What the motivation says."""
    found: str
    """What the code does."""
    should_change: bool
    """Whether the reader holds that the author should mend it before it is trained."""


class ReviewEnd(str, Enum):
    """What came of it. The program is trained in every case; the author alone can change it."""

    UNREAD = "unread"
    """The reader gave nothing usable."""
    CLEAR = "clear"
    """Nothing was doubted."""
    NOTED = "noted"
    """Nothing that was doubted asks for a change, so the author was not asked."""
    SILENT = "silent"
    """The author gave nothing usable."""
    STANDS = "stands"
    """The author keeps the program."""
    REVISED = "revised"
    """The author changed the program, and it passed all checks again."""
    REFUSED = "refused"
    """The author's revision did not pass, or is another experiment's program: the program is trained as it was."""


class Review(Record):
    """One reading of a program that had passed its checks."""

    end: ReviewEnd
    doubts: tuple[Doubt, ...] = ()
    reason: str = ""
    """The author's, or why nothing usable came."""
    before: str = ""
    """The program that was doubted, where the revision has taken its place."""
    refused: str = ""
    """The author's revision that was not taken."""
    refusal: str = ""
    """Why it was not, in a sentence."""
    repairs: int = 0
    """How many repairs the program had when it was read."""
