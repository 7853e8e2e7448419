"""Search by meaning: an exact index of inner products (FAISS) over vectors that a cache keeps between starts.

A cache may vanish, be unwritable or be damaged: then the vectors are computed again, and nothing else happens.
"""

import io
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asi_arch.cognition.embedding import Vectors
from asi_arch.cognition.ranking import Hit, best_first
from asi_arch.cognition.words import clauses_of, sentences_of
from asi_arch.domain.cognition import Entry, Paper
from asi_arch.domain.record import canonical_hash, sha256

HalfVector = NDArray[np.float16]
SHIPPED = Path(__file__).parent / "papers.vectors"
"""Vectors of the papers that ship, so that a first search need not encode them; `make vectors` writes it."""
Progress = Callable[[int, int], None]
"""Told how many texts of how many are encoded."""
_MOST_THREADS = 4
"""Sentences that are encoded at the same time, each by one thread; a text has three or four."""
MAX_SENTENCES = 12
"""Of a text that is searched for, the first ones; the last of them goes on to the end of what the encoder reads."""


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
    """A `ranking.Retriever`: each sentence of a text meets the most alike clause of an entry's trigger or background.

    What a sentence finds counts in standard deviations over all entries, and all sentences count the same. (The sum of
    the best matches is late interaction as in ColBERT, Khattab and Zaharia 2020, with sentences in place of tokens.)
    """

    name = "embedding"

    def __init__(self, groups: Sequence[Sequence[Paper]], encoder: Encoder, cache: "VectorCache") -> None:
        """Groups of papers are cached apart; entries are numbered through all of them."""
        import faiss  # pyright: ignore[reportMissingTypeStubs]

        library: Any = faiss
        library.omp_set_num_threads(1)
        found = [cache.vectors(texts_of(group), encoder) for group in groups if group]
        sizes = [len(_clauses(entry)) for group in groups for paper in group for entry in paper.entries]
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._encoder = encoder
        self._pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), "encoder")
        self._count = sum(sizes)
        if found:
            vectors = np.concatenate(found)
            self._index = library.IndexFlatIP(vectors.shape[1])
            self._index.add(vectors)

    def ranked(self, text: str) -> list[Hit]:
        """All entries, best first; none for a text without a word."""
        sentences = sentences_of(text, MAX_SENTENCES)
        if not self._count or not sentences:
            return []
        asked = np.concatenate(list(self._pool.map(self._encoder.windows, sentences)))
        found, numbers = self._index.search(asked, self._count)
        likeness = np.empty_like(found)
        np.put_along_axis(likeness, numbers, found, axis=1)
        best = np.maximum.reduceat(likeness, self._starts, axis=1)
        spread = best.std(axis=1, keepdims=True)
        scores: list[float] = (best / np.where(spread > 0, spread, 1)).mean(axis=0).tolist()
        return best_first(dict(enumerate(scores)))


def texts_of(papers: Sequence[Paper]) -> list[str]:
    """The clauses of all entries, as they are encoded, in order."""
    return [clause for paper in papers for entry in paper.entries for clause in _clauses(entry)]


def _clauses(entry: Entry) -> list[str]:
    """At least two, since neither part is ever empty."""
    return [clause for part in (entry.trigger, entry.background) for clause in clauses_of(part) or [part]]


def keys_of(texts: Sequence[str], encoder: Encoder) -> list[str]:
    """Under which hash the vector of each text is kept."""
    return [canonical_hash([encoder.fingerprint, text])[:32] for text in texts]


class VectorCache:
    """Files `<hash of texts and encoder>.vectors` in a folder; before them, one that ships with the papers.

    A file is the SHA-256 of an array, then the array: per text, its hash and its vector in half precision. So of a
    file that ships what still fits is used, whatever was edited since.
    """

    def __init__(
        self, folder: Path, on_progress: Progress = lambda _done, _all: None, shipped: Path | None = SHIPPED
    ) -> None:
        """`shipped` is read only."""
        self._folder = folder
        self._on_progress = on_progress
        self._shipped = shipped

    def vectors(self, texts: Sequence[str], encoder: Encoder) -> Vectors:
        """[texts, N]: what no file has is computed, and then all of it kept."""
        keys = keys_of(texts, encoder)
        known = read_vectors(self._shipped) if self._shipped else {}
        if not known.keys() >= set(keys):
            path = self._folder / f"{canonical_hash(keys)[:32]}.vectors"
            known |= read_vectors(path)
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            for done, (key, text) in enumerate(missing.items()):
                self._on_progress(done, len(missing))
                known[key] = encoder.windows(text)[0].astype(np.float16)
            if missing:
                self._on_progress(len(missing), len(missing))
                with suppress(OSError):
                    write_vectors(path, {key: known[key] for key in keys})
        return np.stack([known[key] for key in keys]).astype(np.float32)


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
