"""Search by meaning: an exact index of inner products (FAISS) over vectors that a cache keeps between starts.

A cache may vanish, be unwritable or be damaged: then the vectors are computed again, and nothing else happens.
"""

import io
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asi_arch.cognition.embedding import Vectors
from asi_arch.cognition.ranking import Hit, best_first
from asi_arch.domain.cognition import Paper
from asi_arch.domain.record import canonical_hash, sha256

HalfVector = NDArray[np.float16]
SHIPPED = Path(__file__).parent / "papers.vectors"
"""Vectors of the papers that ship, so that a first search need not encode them; `make vectors` writes it."""
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


def keys_of(texts: Sequence[tuple[str, str]], encoder: Encoder) -> list[str]:
    """Under which hash the vector of each entry is kept."""
    return [canonical_hash([encoder.fingerprint, ALGORITHM_WEIGHT, *pair])[:32] for pair in texts]


class VectorCache:
    """Files `<hash of texts and encoder>.vectors` in a folder; before them, one that ships with the papers.

    A file is the SHA-256 of an array, then the array: per entry, the hash of its texts and its vector in half
    precision. So of a file that ships what still fits is used, whatever was edited since.
    """

    def __init__(
        self, folder: Path, on_progress: Progress = lambda _done, _all: None, shipped: Path | None = SHIPPED
    ) -> None:
        """`shipped` is read only."""
        self._folder = folder
        self._on_progress = on_progress
        self._shipped = shipped

    def vectors(self, texts: Sequence[tuple[str, str]], encoder: Encoder) -> Vectors:
        """[entries, 2N]: what no file has is computed, and then all of it kept."""
        keys = keys_of(texts, encoder)
        known = read_vectors(self._shipped) if self._shipped else {}
        if not known.keys() >= set(keys):
            path = self._folder / f"{canonical_hash(keys)[:32]}.vectors"
            known |= read_vectors(path)
            missing = [place for place, key in enumerate(keys) if key not in known]
            for done, place in enumerate(missing):
                self._on_progress(done, len(missing))
                known[keys[place]] = _encoded(texts[place], encoder)
            if missing:
                self._on_progress(len(missing), len(missing))
                with suppress(OSError):
                    write_vectors(path, {key: known[key] for key in keys})
        return np.stack([known[key] for key in keys]).astype(np.float32)


def _encoded(pair: tuple[str, str], encoder: Encoder) -> HalfVector:
    trigger, algorithm = (encoder.windows(text)[0] for text in pair)
    return np.concatenate([trigger, ALGORITHM_WEIGHT * algorithm]).astype(np.float16)


def write_vectors(path: Path, vectors: Mapping[str, HalfVector]) -> None:
    """Written beside and renamed, so that no other process sees half a file. Raises `OSError`."""
    width = len(next(iter(vectors.values())))
    rows = [(key.encode(), vector) for key, vector in vectors.items()]
    content = io.BytesIO()
    np.save(content, np.array(rows, dtype=[("key", "S32"), ("vector", np.float16, (width,))]), allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(sha256(content.getvalue()).encode() + content.getvalue())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise


def read_vectors(path: Path) -> dict[str, HalfVector]:
    """The vectors of a whole file by the hash of their texts; none of one that is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return {}
    if content[:64] != sha256(content[64:]).encode():
        return {}
    rows: Any = np.load(io.BytesIO(content[64:]), allow_pickle=False)
    return {key.decode(): vector for key, vector in zip(rows["key"].tolist(), rows["vector"], strict=True)}
