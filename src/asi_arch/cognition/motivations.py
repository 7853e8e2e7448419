"""Which earlier motivations are most like a new one: exact inner products, by meaning or, without the extra, by words.

Vectors are kept in half precision and similarities in four digits, so that a vector that was read again and one that
was just computed decide alike.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import numpy as np

from asi_arch.cognition.embedding import MiniLm, Vectors
from asi_arch.cognition.vectors import Encoder, HalfVector, read_vectors, write_vectors
from asi_arch.cognition.words import STOP_WORDS, words_of
from asi_arch.domain.novelty import Bands, Measure, Near
from asi_arch.domain.record import canonical_hash

BANDS: Mapping[Measure, Bands] = {
    Measure.MEANING: Bands(new_below=0.50, repeat_from=0.85),
    Measure.WORDS: Bands(new_below=0.32, repeat_from=0.70),
}
"""Measured on pairs that were written for it (tests/cognition/motivations.toml) and on a campaign of 56 composed ideas.

| similarity of                                            | by meaning   | by words     |
| 12 pairs: the same idea in other words                   | 0.53 to 0.76 | 0.34 to 0.50 |
| 12 pairs: different ideas, half of them close            | 0.16 to 0.62 | 0.02 to 0.35 |
| campaign, different mechanisms (1,168 pairs): median     | 0.46         | 0.24         |
| the same: 99 of 100 are below; the most                  | 0.73; 0.82   | 0.45; 0.52   |
| campaign, the same mechanisms (16 pairs): median         | 0.76         | 0.86         |

So below the first band lies no repeat, and from the second on nothing that is new.
"""
_DIGITS = 4
_SAVED_EVERY = 32
_WIDTH = 1024
_PIECE = 4


class Index(Protocol):
    """Rows of unit length in the order in which they were added."""

    def add(self, vector: Vectors) -> None:
        """Of shape [N]."""
        ...

    def search(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Up to `count` rows with their inner products with [N], largest first."""
        ...


class FaissIndex:
    """An `Index` by FAISS."""

    def __init__(self) -> None:
        import faiss  # pyright: ignore[reportMissingTypeStubs]

        self._library: Any = faiss
        self._library.omp_set_num_threads(1)
        self._index: Any = None

    def add(self, vector: Vectors) -> None:
        """Of shape [N]."""
        if self._index is None:
            self._index = self._library.IndexFlatIP(len(vector))
        self._index.add(vector[None])

    def search(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Exact."""
        if self._index is None:
            return []
        scores, rows = self._index.search(vector[None], min(count, self._index.ntotal))
        return list(zip(rows[0].tolist(), scores[0].tolist(), strict=True))


class ArrayIndex:
    """An `Index` that needs numpy only."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, 0), dtype=np.float32)
        self._count = 0

    def add(self, vector: Vectors) -> None:
        """Of shape [N]; the room is doubled when it is full."""
        if self._count == len(self._rows):
            grown = np.zeros((max(64, 2 * self._count), len(vector)), dtype=np.float32)
            if self._count:
                grown[: self._count] = self._rows
            self._rows = grown
        self._rows[self._count] = vector
        self._count += 1

    def search(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Exact."""
        if not self._count:
            return []
        scores = self._rows[: self._count] @ vector
        best = np.argsort(-scores, kind="stable")[:count]
        return [(int(row), float(scores[row])) for row in best]


class PiecesOfWords:
    """An `Encoder` without a model: texts are as alike as the pieces of four letters that their words share.

    Pieces rather than words, so that 'gated' and 'gates' have something in common; each piece is hashed to one of the
    vector's components and to a sign.
    """

    fingerprint = f"pieces of {_PIECE}, width {_WIDTH}"

    def windows(self, text: str) -> Vectors:
        """[1, 1024], unit length; zeros for a text of nothing but small words."""
        counts: dict[str, int] = {}
        for word in words_of(text):
            if word not in STOP_WORDS:
                padded = f"{word} "
                for start in range(max(1, len(padded) - _PIECE + 1)):
                    piece = padded[start : start + _PIECE]
                    counts[piece] = counts.get(piece, 0) + 1
        vector = np.zeros(_WIDTH, dtype=np.float32)
        for piece, count in counts.items():
            code = crc32(piece.encode())
            vector[code % _WIDTH] += count**0.5 if code >> 20 & 1 else -(count**0.5)
        return (vector / (np.linalg.norm(vector) or 1.0))[None].astype(np.float32)


class KnownMotivations:
    """A `domain.ports.Motivations`. Every text is encoded once; what is encoded may be kept in a file.

    The file may vanish, be unwritable or be damaged: then texts are encoded again, and nothing else happens.
    """

    def __init__(self, measure: Measure, encoder: Encoder, index: Index, file: Path | None = None) -> None:
        """`file` is this campaign's own."""
        self.measure = measure
        self._encoder = encoder
        self._index = index
        self._file = file
        self._vectors: dict[str, HalfVector] = read_vectors(file) if file else {}
        self._unsaved = 0
        self._numbers: list[int] = []
        self._known: set[int] = set()

    @property
    def bands(self) -> Bands:
        """As measured."""
        return BANDS[self.measure]

    def add(self, number: int, text: str) -> None:
        """Remember an experiment's motivation. A number that is known, or a text without a word, changes nothing."""
        if number in self._known or not words_of(text):
            return
        self._index.add(self._vector(text))
        self._numbers.append(number)
        self._known.add(number)

    def nearest(self, text: str, count: int, before: int) -> list[Near]:
        """Up to `count` remembered ones with a number below `before`, most alike first, equal ones by number."""
        later = sum(number >= before for number in self._numbers)
        found = self._index.search(self._vector(text), count + later)
        near = [Near(self._numbers[row], round(score, _DIGITS)) for row, score in found]
        near = [one for one in near if one.number < before]
        return sorted(near, key=lambda one: (-one.similarity, one.number))[:count]

    def _vector(self, text: str) -> Vectors:
        """[N], unit length: the mean of the text's windows."""
        key = canonical_hash([self._encoder.fingerprint, text])[:32]
        if key not in self._vectors:
            mean = self._encoder.windows(text).mean(axis=0)
            self._vectors[key] = (mean / (np.linalg.norm(mean) or 1.0)).astype(np.float16)
            self._unsaved += 1
            if self._unsaved >= _SAVED_EVERY:
                self._save()
        return self._vectors[key].astype(np.float32)

    def _save(self) -> None:
        self._unsaved = 0
        if self._file is not None:
            with suppress(OSError):
                write_vectors(self._file, self._vectors)


def motivations_by_meaning(file: Path | None = None) -> KnownMotivations:
    """Raises `UserError` where the extra is not installed."""
    return KnownMotivations(Measure.MEANING, MiniLm(), FaissIndex(), file)


def motivations_by_words() -> KnownMotivations:
    """Needs nothing but numpy."""
    return KnownMotivations(Measure.WORDS, PiecesOfWords(), ArrayIndex())
