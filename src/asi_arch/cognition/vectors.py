"""Search by meaning: an exact index of inner products (FAISS) over vectors that a cache keeps between starts.

A cache may vanish, be unwritable or be damaged: then the vectors are computed again, and nothing else happens.
"""

import io
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from asi_arch.cognition.embedding import Vectors
from asi_arch.cognition.ranking import Hit, best_first
from asi_arch.domain.cognition import Paper
from asi_arch.domain.record import canonical_hash, sha256

Progress = Callable[[int, int], None]
"""Told how many texts of how many are encoded."""
ALGORITHM_WEIGHT = 0.5
"""Of an entry's algorithm, against 1 for its trigger."""


class Encoder(Protocol):
    """Makes vectors of unit length from texts; their inner product tells how alike the texts are."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever any vector would change."""
        ...

    def windows(self, text: str) -> Vectors:
        """[W, N]: one vector per window of the text, at least one."""
        ...


class ByMeaning:
    """A `ranking.Retriever`: likeness to the trigger, and with less weight to the algorithm.

    Each entry is one vector, [trigger, weight * algorithm], and a query is [q, q], so that one inner product is the
    weighted sum. Of a query with several windows the most alike counts.
    """

    name = "embedding"

    def __init__(self, groups: Sequence[Sequence[Paper]], encoder: Encoder, cache: "VectorCache") -> None:
        """Groups of papers are cached apart; entries are numbered through all of them."""
        import faiss  # pyright: ignore[reportMissingTypeStubs]

        library: Any = faiss
        library.omp_set_num_threads(1)
        found = [cache.vectors(fields(group), encoder) for group in groups if group]
        self._encoder = encoder
        self._count = sum(len(vectors) for vectors in found)
        if found:
            vectors = np.concatenate(found)
            self._index = library.IndexFlatIP(vectors.shape[1])
            self._index.add(vectors)

    def ranked(self, text: str) -> list[Hit]:
        """All entries, best first."""
        if not self._count:
            return []
        windows = self._encoder.windows(text)
        scores, numbers = self._index.search(np.tile(windows, (1, 2)), self._count)
        best: dict[int, float] = {}
        for score, number in zip(scores.ravel().tolist(), numbers.ravel().tolist(), strict=True):
            best[number] = max(score, best.get(number, -np.inf))
        return best_first(best)


def fields(papers: Sequence[Paper]) -> list[tuple[str, str]]:
    """Trigger and algorithm of every entry, as they are encoded."""
    return [(entry.trigger, entry.algorithm) for paper in papers for entry in paper.entries]


class VectorCache:
    """Files `<hash of texts and encoder>.vectors` in a folder: the SHA-256 of the array, then the array."""

    def __init__(self, folder: Path, on_progress: Progress = lambda _done, _all: None) -> None:
        self._folder = folder
        self._on_progress = on_progress

    def vectors(self, texts: list[tuple[str, str]], encoder: Encoder) -> Vectors:
        """[entries, 2N]: from the file where there is a whole one, else computed and kept."""
        key = canonical_hash([encoder.fingerprint, ALGORITHM_WEIGHT, texts])
        path = self._folder / f"{key[:32]}.vectors"
        found = _read(path, len(texts))
        if found is None:
            found = self._computed(texts, encoder)
            self._keep(path, found)
        return found

    def _computed(self, texts: list[tuple[str, str]], encoder: Encoder) -> Vectors:
        rows: list[Vectors] = []
        for trigger, algorithm in texts:
            self._on_progress(len(rows), len(texts))
            rows.append(np.concatenate([encoder.windows(trigger)[0], ALGORITHM_WEIGHT * encoder.windows(algorithm)[0]]))
        self._on_progress(len(texts), len(texts))
        return np.stack(rows).astype(np.float32)

    def _keep(self, path: Path, vectors: Vectors) -> None:
        """Written beside and renamed, so that no other process sees half a file."""
        content = io.BytesIO()
        np.save(content, vectors, allow_pickle=False)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self._folder, prefix=f"{path.name}.")
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sha256(content.getvalue()).encode() + content.getvalue())
            os.replace(beside, path)
        except OSError:
            Path(beside).unlink(missing_ok=True)


def _read(path: Path, entries: int) -> Vectors | None:
    """The array of a whole file; None for one that is missing, damaged or of another shape."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if content[:64] != sha256(content[64:]).encode():
        return None
    vectors = np.load(io.BytesIO(content[64:]), allow_pickle=False)
    return vectors if vectors.ndim == 2 and len(vectors) == entries else None
