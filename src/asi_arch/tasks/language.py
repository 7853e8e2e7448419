"""Next-token prediction on windows of a corpus."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.errors import DataError
from asi_arch.domain.ports import Batch
from asi_arch.domain.profile import LanguageStage, Split
from asi_arch.domain.record import canonical_hash
from asi_arch.tasks.corpus import Corpus, Tokens, stdlib_corpus, text_corpus
from asi_arch.tasks.draws import Draws, Purpose
from asi_arch.tasks.tokenizer import TokenizedCorpus, tokenize

WINDOWS = 1
"""Version of how windows are drawn; part of the fingerprint."""

FEWEST_DOCUMENTS = 16
"""Fewer whole files say too little about how much the choice of text matters."""

_LABEL = f"language windows {WINDOWS}"


class LanguageTask:
    """The language stage of a profile: T = context, every position has a target, one group.

    Raises `DataError` when the text can't be read or is too small, `ProfileError` for an unknown vocabulary.
    """

    def __init__(self, stage: LanguageStage, cache: Path) -> None:
        corpus = stdlib_corpus(cache) if stage.data == "stdlib" else text_corpus(Path(stage.data), cache)
        self._stage = stage
        self._corpus = corpus
        self._text = tokenize(corpus, stage.vocabulary, cache)
        self._check_sizes()

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return self._text.vocabulary

    @property
    def groups(self) -> tuple[str, ...]:
        """All rows are text."""
        return ("text",)

    @property
    def fingerprint(self) -> str:
        """Hash of the tokens and of what decides where windows lie."""
        stage = self._stage
        return canonical_hash([WINDOWS, self._text.fingerprint, stage.context, stage.batch, stage.held_out_windows])

    @property
    def description(self) -> str:
        """E.g. 'standard library of Python 3.11.7: 729 files, 12.1 MB'."""
        suffix = f", {self.vocabulary:,} BPE tokens" if self._text.model else ""
        return f"{self._corpus.description}{suffix}"

    @property
    def tokenizer_model(self) -> str:
        """The BPE in the JSON form of the `tokenizers` package; empty for bytes."""
        return self._text.model

    def bytes_per_token(self, split: Split) -> float:
        """Mean bytes of a held-out target: bits per byte = loss in nats / ln 2 / bytes_per_token."""
        return float(self._text.byte_lengths[self.held_out(split).targets].mean())

    def train_batch(self, seed: int, step: int) -> Batch:
        """[batch, context] windows at uniformly drawn offsets of the train part."""
        stage = self._stage
        places = len(self._text.train) - stage.context
        offsets = Draws(_LABEL, Purpose.TRAIN, seed=seed, step=step).integers(places, (stage.batch,))
        return _batch(self._text.train, offsets, stage.context)

    def held_out(self, split: Split) -> Batch:
        """[held_out_windows, context] evenly spaced windows; they overlap only where the split is too short for all."""
        return _batch(self._text.held_out(split), self._offsets(split), self._stage.context)

    def documents(self, split: Split) -> NDArray[np.int32]:
        """[held_out_windows]: the file in which each window begins, numbered in the order of the split.

        Where text was cut into blocks, each block's stretch of a file counts. Text of fewer than `FEWEST_DOCUMENTS`
        of them is cut on, into stretches of neighbouring windows.
        """
        lengths = self._text.byte_lengths[self._text.held_out(split)]
        starts = (np.cumsum(lengths) - lengths)[self._offsets(split)]
        ends = np.flatnonzero(self._corpus.held_out(split) == 0)
        files = np.searchsorted(ends, starts)
        if len(np.unique(files)) < FEWEST_DOCUMENTS:
            stretches = np.arange(len(files)) * FEWEST_DOCUMENTS // len(files)
            files = files * FEWEST_DOCUMENTS + stretches
        return np.unique(files, return_inverse=True)[1].astype(np.int32)

    def _offsets(self, split: Split) -> NDArray[np.int64]:
        """[held_out_windows]: where each window begins, in tokens."""
        windows, places = self._stage.held_out_windows, len(self._text.held_out(split)) - 1 - self._stage.context
        return np.arange(windows) * places // max(windows - 1, 1)

    def _check_sizes(self) -> None:
        """A train window with its target must fit, and all held-out windows must be different ones."""
        context, windows = self._stage.context, self._stage.held_out_windows
        needs = {"train": context + 1} | {split.value: context + windows for split in Split}
        _require(self._text, self._corpus, needs)


def _require(text: TokenizedCorpus, corpus: Corpus, needs: Mapping[str, int]) -> None:
    """Name the first part that is too small, and the size at which none would be."""
    sizes = {"train": len(text.train)} | {split.value: len(text.held_out(split)) for split in Split}
    short = next((part for part in needs if sizes[part] < needs[part]), None)
    if short is None:
        return
    size = len(corpus.train) + sum(len(corpus.held_out(split)) for split in Split)
    enough = max(-(-size * needed // max(sizes[part], 1)) for part, needed in needs.items())
    raise DataError(
        f"data '{corpus.name}': too small. It has {size:,} bytes; its {short} part has {sizes[short]:,} tokens and"
        f" needs {needs[short]:,} for the profile's context and held-out windows. Give at least about {enough:,} bytes"
        " of text, or shorten the context"
    )


def _batch(tokens: Tokens, offsets: NDArray[np.int64], context: int) -> Batch:
    windows = tokens[offsets[:, None] + np.arange(context + 1)].astype(np.int32)
    groups = np.zeros(len(offsets), dtype=np.int32)
    return Batch(np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:]), groups)
