"""What all retrievers have in common: they put the entries in order, by their number in the base."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple, Protocol


class Hit(NamedTuple):
    """An entry that has something in common with a text."""

    number: int
    """Of the entry, counted through all papers."""
    score: float
    """Higher is better; comparable within one answer only. An entry that does not come has 0."""


class Retriever(Protocol):
    """Puts the entries in order for a text."""

    @property
    def name(self) -> str:
        """One word, for tables."""
        ...

    def ranked(self, text: str) -> list[Hit]:
        """Every entry that has something in common with the text, best first; equal scores by number."""
        ...


class Hybrid:
    """A `Retriever` that adds up the scores of others, each in standard deviations over all entries and weighted.

    Ranks would forget by how much a part prefers an entry; with scores a clear winner of one part stays one.
    """

    name = "hybrid"

    def __init__(self, parts: Sequence[tuple[Retriever, float]], entries: int) -> None:
        """Retrievers over the same entries, with their weights; how many entries there are."""
        self._parts = parts
        self._entries = entries

    def ranked(self, text: str) -> list[Hit]:
        """Every entry that any of them found."""
        total: dict[int, float] = {}
        for retriever, weight in self._parts:
            found = {hit.number: hit.score for hit in retriever.ranked(text)}
            scores = [found.get(number, 0.0) for number in range(self._entries)]
            scale = weight / (_spread(scores) or 1.0) if scores else 0.0
            for number, score in found.items():
                total[number] = total.get(number, 0.0) + scale * score
        return best_first(total)


def _spread(scores: Sequence[float]) -> float:
    """The standard deviation; `statistics.pstdev` is exact to the last digit, which nobody needs here, and slow."""
    mean = fmean(scores)
    return math.sqrt(fmean((score - mean) ** 2 for score in scores))


def best_first(scores: Mapping[int, float]) -> list[Hit]:
    """Hits by falling score, equal ones by number."""
    return [Hit(number, score) for number, score in sorted(scores.items(), key=lambda item: (-item[1], item[0]))]
