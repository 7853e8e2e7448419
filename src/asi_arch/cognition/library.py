"""The base as the loop sees it: a text goes in, the entries of the papers that fit come out."""

from collections.abc import Sequence

from asi_arch.cognition.ranking import Retriever
from asi_arch.cognition.words import words_of
from asi_arch.domain.cognition import Entry, Paper, Passage
from asi_arch.domain.errors import UserError


class Library:
    """A `domain.cognition.Cognition`: papers in the order of a retriever, each by its best entry.

    A paper comes once at most: three entries are shown to a Researcher, and three papers tell more than two sides of
    one.
    """

    def __init__(self, papers: Sequence[Paper], retriever: Retriever) -> None:
        """`retriever` must have numbered the entries of these papers in this order."""
        self.retriever = retriever
        self._shelf: list[tuple[Paper, Entry]] = [(paper, entry) for paper in papers for entry in paper.entries]

    def near(self, text: str, count: int = 3) -> list[Passage]:
        """Up to `count` passages, best first, each of another paper. Raises `UserError` for a text without a word."""
        if not words_of(text):
            raise UserError(f"there is no word to search for in {text[:60]!r}; describe what went wrong in a sentence")
        found: dict[str, Passage] = {}
        for number, score in self.retriever.ranked(text):
            if len(found) >= count:
                break
            paper, entry = self._shelf[number]
            found.setdefault(paper.arxiv, _passage(paper, entry, score))
        return list(found.values())


def _passage(paper: Paper, entry: Entry, score: float) -> Passage:
    return Passage(arxiv=paper.arxiv, year=paper.year, paper=paper.name, theme=paper.theme, entry=entry, score=score)
