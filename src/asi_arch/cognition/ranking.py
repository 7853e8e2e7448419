"""What all retrievers have in common: they put the entries in order, by their number in the base."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

RANK_OFFSET = 10
"""Added to a rank before its reciprocal is taken: the larger, the less the first places count (Cormack et al. 2009)."""


class Hit(NamedTuple):
    """An entry that has something in common with a text."""

    number: int
    """Of the entry, counted through all papers."""
    score: float
    """Higher is better; comparable within one answer only."""


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
    """A `Retriever` that adds up, over several others, weight / (rank + offset): reciprocal rank fusion."""

    name = "hybrid"

    def __init__(self, parts: Sequence[tuple[Retriever, float]]) -> None:
        """Retrievers over the same entries, with their weights."""
        self._parts = parts

    def ranked(self, text: str) -> list[Hit]:
        """Every entry that any of them found."""
        scores: dict[int, float] = {}
        for retriever, weight in self._parts:
            for rank, hit in enumerate(retriever.ranked(text), start=1):
                scores[hit.number] = scores.get(hit.number, 0.0) + weight / (RANK_OFFSET + rank)
        return best_first(scores)


def best_first(scores: Mapping[int, float]) -> list[Hit]:
    """Hits by falling score, equal ones by number."""
    return [Hit(number, score) for number, score in sorted(scores.items(), key=lambda item: (-item[1], item[0]))]
