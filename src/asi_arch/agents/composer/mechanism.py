"""What a mechanism is: one idea of the field, with its settings, its rules and the words to speak about it."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

Setting = int | float | str | tuple[int, ...]
"""A parameter of a mechanism, always one of the choices that its catalogue entry lists."""

NO_SETTINGS: Mapping[str, tuple[Setting, ...]] = MappingProxyType({})


class Family(str, Enum):
    """Which part of the mixer a mechanism belongs to. Of an exclusive family a design holds at most one."""

    UPDATE = "update"
    DECAY = "decay"
    TIMESCALE = "timescale"
    WRITE = "write"
    INPUT = "input"
    FEATURES = "features"
    ADDRESS = "address"
    BRANCH = "branch"
    ROUTING = "routing"
    ROUTING_SHAPE = "routing_shape"
    NORM = "norm"
    GATE = "gate"
    OUTPUT = "output"


EXCLUSIVE = frozenset({Family.UPDATE, Family.DECAY, Family.FEATURES, Family.ROUTING, Family.NORM, Family.GATE})


class Quantity(str, Enum):
    """The number that a mechanism is expected to move."""

    LANGUAGE = "language loss"
    RECALL = "multi-query recall"
    STATE = "state tracking"
    COST = "cost"


class Mechanism(NamedTuple):
    """One entry of the catalogue."""

    key: str
    title: str
    """Noun phrase, fits after 'adds'."""
    does: str
    """Sentence that says what it does, without its final point; begins with a lower-case 'it'."""
    lack: str
    """What a mixer without it suffers from; completes 'PARENT ...'."""
    expects: str
    """Which number should move and why, a sentence."""
    moves: Quantity
    family: Family
    source: str
    """Where the idea comes from, with the year."""
    word: str = ""
    """Its part in a name; empty for mechanisms that never name a design."""
    settings: Mapping[str, tuple[Setting, ...]] = NO_SETTINGS
    """Choices of every parameter, in their natural order."""
    needs: tuple[tuple[str, ...], ...] = ()
    """Of each group one must be present; the missing is added."""
    within: tuple[tuple[str, ...], ...] = ()
    """Of each group one must be present; otherwise the mechanism makes no sense and is left out."""
    excludes: frozenset[str] = frozenset()
    """Keys that can't stand beside it; it is enough that one of the two says so."""
    least_paths: int = 0
    """Side paths without which it makes no sense."""
    matrices: float = 0.0
    """Parameters in units of width squared, at width 64."""
    weight: float = 1.0
    """How readily it is chosen."""
