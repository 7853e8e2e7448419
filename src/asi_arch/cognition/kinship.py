"""Papers on one subject lift one another: what fits a text well speaks for those that are written in the same words.

The cluster hypothesis (van Rijsbergen 1979) as a regularisation of scores (Diaz 2005): a finding is worded like one
paper that answers it, and the others that answer it are more like that paper than like the finding.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asi_arch.cognition.ranking import Hit, Retriever, best_first
from asi_arch.cognition.words import ByWords
from asi_arch.domain.cognition import Paper

NEIGHBOURS = 5
"""Papers that lift a paper, the most alike ones."""
WEIGHT = 1.5
"""Of the mean of how far they stand out, against a paper's own score."""
_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b."""

Matrix = NDArray[np.float64]


class Kindred:
    """A `ranking.Retriever` that adds to each entry's score how far the papers most alike to its own stand out."""

    def __init__(
        self,
        retriever: Retriever,
        papers: Sequence[Paper],
        words: ByWords,
        *,
        neighbours: int = NEIGHBOURS,
        weight: float = WEIGHT,
    ) -> None:
        """`retriever` and `words` have numbered the entries of these papers in this order."""
        self._retriever = retriever
        self._owner = np.repeat(np.arange(len(papers)), [len(paper.entries) for paper in papers])
        self._papers = len(papers)
        self._words = words
        self._neighbours = neighbours
        self._weight = weight

    @property
    def name(self) -> str:
        """That of the retriever."""
        return self._retriever.name

    def ranked(self, text: str) -> list[Hit]:
        """What the retriever found, and entries of papers that are alike to those of what it found."""
        found = {hit.number: hit.score for hit in self._retriever.ranked(text)}
        if not found:
            return []
        scores = np.zeros(len(self._owner))
        scores[list(found)] = list(found.values())
        best = np.zeros(self._papers)
        np.maximum.at(best, self._owner, scores)
        lifts = self._weight * (self._shares @ standing_out(best))
        total: list[float] = (scores + lifts[self._owner]).tolist()
        return best_first({number: score for number, score in enumerate(total) if number in found or score > 0})

    @cached_property
    def _shares(self) -> Matrix:
        return shares(likeness(self._words.counts(), self._owner), self._neighbours)


def standing_out(scores: Matrix) -> Matrix:
    """[P]: squares of how far scores are above their mean, so scaled that the highest keeps its distance; 0 below it.

    The many that score like all others would lift one another without meaning anything.
    """
    above = np.maximum(scores - scores.mean(), 0)
    return above**2 / max(above.max(), 1e-12)


def likeness(counts: Iterable[tuple[str, int, int]], owner: NDArray[np.int64]) -> Matrix:
    """[P, P]: of two papers, the cosine of their most alike entries as BM25 weighs their words; 0 for one with itself.

    A word that half of the entries have makes none of them alike.
    `counts` are stems, numbers of entries and frequencies; `owner` [E] tells the paper of each entry.
    """
    rows, papers = len(owner), int(owner[-1]) + 1
    stems: dict[str, int] = {}
    cells = [(row, stems.setdefault(stem, len(stems)), count) for stem, row, count in counts]
    frequency = np.zeros((rows, len(stems)))
    for row, stem, count in cells:
        frequency[row, stem] = count
    having = (frequency > 0).sum(axis=0)
    rarity = np.maximum(np.log((rows - having + 0.5) / (having + 0.5)), 0)
    length = frequency.sum(axis=1, keepdims=True)
    damping = _SATURATION * (1 - _LENGTH + _LENGTH * length / length.mean())
    weights = rarity * frequency * (_SATURATION + 1) / (frequency + damping)
    weights /= np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
    starts = np.searchsorted(owner, np.arange(papers))
    alike = np.maximum.reduceat(np.maximum.reduceat(weights @ weights.T, starts, axis=0), starts, axis=1)
    np.fill_diagonal(alike, 0)
    return alike


def shares(alike: Matrix, neighbours: int) -> Matrix:
    """[P, P]: of each paper's `neighbours` most alike ones their part in it, which add up to 1; 0 for all others."""
    order = np.argsort(-alike, axis=1, kind="stable")[:, :neighbours]
    kept = np.zeros_like(alike)
    np.put_along_axis(kept, order, np.take_along_axis(alike, order, axis=1), axis=1)
    return kept / np.maximum(kept.sum(axis=1, keepdims=True), 1e-12)
