"""Which of many texts are most like another one: by shared words, and by meaning where the encoder can be had."""

from collections.abc import Sequence
from contextlib import closing

import numpy as np

from asi_arch.cognition.embedding import Vectors
from asi_arch.cognition.ranking import Hit, Hybrid, Retriever, best_first
from asi_arch.cognition.vectors import Encoder
from asi_arch.cognition.words import WordIndex

WORDS_WEIGHT = 0.5
"""Of shared words, against 1 for the meaning."""


class TextLikeness:
    """A `domain.cognition.Likeness`. The vector of a text is computed once and kept in memory.

    Without an encoder it goes by words alone, and texts without a shared word never come.
    """

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Vectors] = {}

    def nearest(self, text: str, texts: Sequence[str], count: int) -> list[int]:
        """Places of the `count` most alike, best first; none for an empty text."""
        if not text.strip() or not texts:
            return []
        with closing(WordIndex({"text": 1.0}, [(other,) for other in texts])) as by_words:
            ranked: Retriever = by_words
            if self._encoder is not None:
                vectors = np.stack([self._vector(self._encoder, other) for other in texts])
                parts = [(_ByVectors(self._encoder, vectors), 1.0), (by_words, WORDS_WEIGHT)]
                ranked = Hybrid(parts, len(texts))
            return [hit.number for hit in ranked.ranked(text)[:count]]

    def _vector(self, encoder: Encoder, text: str) -> Vectors:
        """[N]: of the text's first window."""
        if text not in self._vectors:
            self._vectors[text] = encoder.windows(text)[0]
        return self._vectors[text]


class _ByVectors:
    """A `ranking.Retriever` over vectors [texts, N] of unit length; of a query's windows the most alike counts."""

    name = "embedding"

    def __init__(self, encoder: Encoder, vectors: Vectors) -> None:
        self._encoder = encoder
        self._vectors = vectors

    def ranked(self, text: str) -> list[Hit]:
        """All of them."""
        scores: list[float] = np.inner(self._vectors, self._encoder.windows(text)).max(axis=1).tolist()
        return best_first(dict(enumerate(scores)))
