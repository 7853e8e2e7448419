"""Search by words: BM25 over stemmed words, by SQLite's full-text index in memory. Needs no package."""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from asi_arch.cognition.ranking import Hit
from asi_arch.domain.cognition import Paper
from asi_arch.domain.errors import UserError

WEIGHTS = {"trigger": 4.0, "name": 1.0, "background": 1.0, "algorithm": 1.0, "guidance": 0.5}
"""Of a word found in each field."""
MAX_WORDS = 256
"""Different words of a text that are searched for, the first ones."""
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about after all also although an and any are as at be because been before being both but by can
        could do does each even every few for from had has have how however if in into is it its itself just
        less like made make makes many may more most much must no nor not of off on once one only or other
        our out over own per same should since so some still such than that the their them then there these
        they this those though through thus to too under until up upon very was well were what when where
        whether which while who whose why will with without would yet
        """,
    )
)


class WordIndex:
    """A `ranking.Retriever` over rows of texts that counts shared words, rare ones for more."""

    name = "bm25"

    def __init__(self, weights: Mapping[str, float], rows: Iterable[Sequence[str]]) -> None:
        """Name and weight of every column; rows with a text for each.

        Raises `UserError` where Python's SQLite was built without full-text search.
        """
        self._weights = ", ".join(str(weight) for weight in weights.values())
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            columns = ", ".join(weights)
            self._connection.execute(
                f"CREATE VIRTUAL TABLE entries USING fts5({columns}, tokenize = 'porter unicode61')"
            )
        except sqlite3.OperationalError as error:
            raise UserError(f"this Python's SQLite can't search texts ({error}); use another Python") from error
        places = ", ".join("?" * len(weights))
        self._connection.executemany(f"INSERT INTO entries VALUES ({places})", rows)

    def ranked(self, text: str) -> list[Hit]:
        """Rows with at least one word of the text, best first."""
        words = list(dict.fromkeys(word for word in words_of(text) if word not in STOP_WORDS))[:MAX_WORDS]
        if not words:
            return []
        found = self._connection.execute(
            f"SELECT rowid - 1, -bm25(entries, {self._weights}) AS score FROM entries WHERE entries MATCH ?"
            " ORDER BY score DESC, rowid",
            (" OR ".join(f'"{word}"' for word in words),),
        )
        return [Hit(number, score) for number, score in found]

    def counts(self) -> Iterator[tuple[str, int, int]]:
        """Every stem, the number of a row that has it, and how often."""
        self._connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS stems USING fts5vocab(entries, 'instance')")
        return self._connection.execute("SELECT term, doc - 1, count(*) FROM stems GROUP BY term, doc")

    def close(self) -> None:
        """Give its memory back."""
        self._connection.close()


class ByWords:
    """A `ranking.Retriever` over the entries of papers."""

    name = WordIndex.name

    def __init__(self, papers: Sequence[Paper]) -> None:
        """Raises `UserError` where Python's SQLite was built without full-text search."""
        rows = [
            (entry.trigger, paper.name, entry.background, entry.algorithm, entry.guidance)
            for paper in papers
            for entry in paper.entries
        ]
        self._index = WordIndex(WEIGHTS, rows)

    def ranked(self, text: str) -> list[Hit]:
        """Entries with at least one word of the text, best first."""
        return self._index.ranked(text)

    def counts(self) -> Iterator[tuple[str, int, int]]:
        """Every stem, the number of an entry that has it, and how often."""
        return self._index.counts()


def words_of(text: str) -> list[str]:
    """Words of at least two letters or digits, in small letters, in their order."""
    return [word for word in re.findall(r"[^\W_]+", text.lower()) if len(word) > 1]


def sentences_of(text: str, count: int) -> list[str]:
    """Its sentences that have a word, white space evened out; the last of `count` is all that is left."""
    parts = re.split(r"(?<=[.?!]) ", " ".join(text.split()), maxsplit=count - 1)
    return [part for part in parts if words_of(part)]


def clauses_of(text: str) -> list[str]:
    """Its sentences, cut at colons and semicolons as well, that have a word, white space evened out."""
    return [part for part in re.split(r"(?<=[.;:?!]) ", " ".join(text.split())) if words_of(part)]
