"""How much of the recall is due to settings that were chosen on the test set: `python -m asi_arch.cognition.tuning`.

Every setting of the search is tried on every finding. Then, in folds, the best setting for four fifths of the findings
is measured on the rest: a number that no setting was fitted to.
"""

import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from asi_arch.cognition.corpus import PACKAGED, load_corpus
from asi_arch.cognition.embedding import MiniLm
from asi_arch.cognition.findings import load_findings
from asi_arch.cognition.kinship import Kindred
from asi_arch.cognition.library import Library
from asi_arch.cognition.ranking import Hit, Hybrid, Retriever
from asi_arch.cognition.retrieval import marks_of
from asi_arch.cognition.vectors import ByMeaning, VectorCache
from asi_arch.cognition.words import ByWords

FOLDS = 5
REPETITIONS = 20
_WORDS_WEIGHTS = (0.5, 1.0, 1.5, 2.0)
_NEIGHBOURS = (3, 4, 5, 6, 8, 12)
_LIFTS = (0.0, 0.5, 1.0, 1.5, 2.0)


class Setting(NamedTuple):
    """What can be chosen."""

    words_weight: float
    neighbours: int
    lift: float


class _Remembered:
    """A `Retriever` that answers each text once."""

    def __init__(self, retriever: Retriever) -> None:
        self.name = retriever.name
        self._retriever = retriever
        self._known: dict[str, list[Hit]] = {}

    def ranked(self, text: str) -> list[Hit]:
        if text not in self._known:
            self._known[text] = self._retriever.ranked(text)
        return self._known[text]


def cross_validated(marks: Mapping[Setting, Sequence[float]], chance: random.Random, folds: int = FOLDS) -> float:
    """Mean over all findings of the mark that they get under the setting which is best for the other folds.

    `marks` has one number per finding. Equal settings go by their order in `marks`.
    """
    count = len(next(iter(marks.values())))
    order = chance.sample(range(count), count)
    kept: list[float] = []
    for fold in range(folds):
        held = order[fold::folds]
        others = [place for place in range(count) if place not in set(held)]
        best = max(marks, key=lambda setting: sum(marks[setting][place] for place in others))
        kept += [marks[best][place] for place in held]
    return statistics.fmean(kept)


def _settings() -> Iterator[Setting]:
    for words_weight in _WORDS_WEIGHTS:
        for lift in _LIFTS:
            yield from (Setting(words_weight, neighbours, lift) for neighbours in _NEIGHBOURS[: None if lift else 1])


def main() -> None:
    """Print recall@3: of each setting, cross-validated among all, and cross-validated without lifting."""
    papers, findings = load_corpus(Path("/nonexistent"), PACKAGED).papers, load_findings()
    words = ByWords(papers)
    with tempfile.TemporaryDirectory() as scratch:
        meaning = _Remembered(ByMeaning([papers], MiniLm(), VectorCache(Path(scratch))))
    by_words = _Remembered(words)
    entries = sum(len(paper.entries) for paper in papers)
    marks: dict[Setting, list[float]] = {}
    for setting in _settings():
        both = Hybrid([(meaning, 1.0), (by_words, setting.words_weight)], entries)
        kindred = Kindred(both, papers, words, neighbours=setting.neighbours, weight=setting.lift)
        base = Library(papers, kindred)
        marks[setting] = [marks_of(base, finding)[0] for finding in findings]
        sys.stdout.write(f"{setting}: {statistics.fmean(marks[setting]):.3f}\n")
    for name, chosen in (("all", marks), ("without lifting", {s: m for s, m in marks.items() if not s.lift})):
        found = [cross_validated(chosen, random.Random(seed)) for seed in range(REPETITIONS)]
        sys.stdout.write(
            f"{name}, {len(chosen)} settings: {statistics.fmean(found):.3f} cross-validated in {FOLDS} folds"
            f" (standard deviation {statistics.pstdev(found):.3f} over {REPETITIONS} divisions)\n"
        )


if __name__ == "__main__":
    main()
