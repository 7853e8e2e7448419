import os
from collections.abc import Callable

import numpy as np
import pytest

from asi_arch.cognition.embedding import Vectors, complaint_about_embeddings
from asi_arch.cognition.words import words_of
from asi_arch.domain.cognition import Entry, Paper, Theme

MakePaper = Callable[..., Paper]
BACKGROUND = "Plain accumulation came before."


@pytest.fixture(scope="session")
def extra() -> None:
    """What needs the packages of the extra: skipped loudly where they are missing, and failed in CI."""
    complaint = complaint_about_embeddings()
    if complaint and os.environ.get("CI"):
        pytest.fail(f"search by meaning can't be tested: {complaint}")
    if complaint:
        pytest.skip(f"search by meaning is NOT TESTED: {complaint}")


@pytest.fixture
def make_paper() -> MakePaper:
    def make(
        arxiv: str,
        *triggers: str,
        name: str = "A paper",
        background: str = BACKGROUND,
        algorithm: str = "S = S + v k^T",
    ) -> Paper:
        entries = tuple(
            Entry(
                id=f"{arxiv}-{number}",
                trigger=trigger,
                background=background,
                algorithm=algorithm,
                guidance="Project, accumulate, read.",
            )
            for number, trigger in enumerate(triggers, start=1)
        )
        return Paper(arxiv=arxiv, year=2024, name=name, theme=Theme.DELTA_RULE, entries=entries)

    return make


class CountedWords:
    """An `Encoder` without a model: texts are as alike as the words that they share."""

    fingerprint = "counted words"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def windows(self, text: str) -> Vectors:
        self.asked.append(text)
        rows = [self._vector(window) for window in text.split(" | ")]
        return np.stack(rows).astype(np.float32)

    def _vector(self, text: str) -> Vectors:
        vector = np.full(512, 1e-6, dtype=np.float32)
        for word in words_of(text):
            vector[sum(ord(letter) * 31**place for place, letter in enumerate(word)) % 512] += 1
        return vector / np.linalg.norm(vector)


@pytest.fixture
def encoder() -> CountedWords:
    return CountedWords()
