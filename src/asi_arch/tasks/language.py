"""Next-token prediction on windows of a corpus."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.errors import DataError
from asi_arch.domain.ports import Batch
from asi_arch.domain.profile import LanguageStage, Split
from asi_arch.domain.record import canonical_hash
from asi_arch.tasks.corpus import Corpus, Tokens, stdlib_corpus, text_corpus
from asi_arch.tasks.draws import Draws, Purpose
from asi_arch.tasks.tokenizer import tokenize

WINDOWS = 1
"""Version of how windows are drawn; part of the fingerprint."""

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
        tokens, stage = self._text.held_out(split), self._stage
        offsets = (
            np.arange(stage.held_out_windows) * (len(tokens) - 1 - stage.context) // max(stage.held_out_windows - 1, 1)
        )
        return _batch(tokens, offsets, stage.context)

    def _check_sizes(self) -> None:
        """A train window with its target must fit, and all held-out windows must be different ones."""
        context, windows = self._stage.context, self._stage.held_out_windows
        text, raw = self._text, self._corpus
        _require("train", len(text.train), context + 1, raw)
        _require("validation", len(text.validation), context + windows, raw)
        _require("vault", len(text.vault), context + windows, raw)


def _require(part: str, tokens: int, needed: int, corpus: Corpus) -> None:
    if tokens >= needed:
        return
    size = len(corpus.train) + len(corpus.validation) + len(corpus.vault)
    share = 1 if part == "train" else 20
    raise DataError(
        f"data '{corpus.name}': too small. It has {size:,} bytes; its {part} part has {tokens:,} tokens and needs"
        f" {needed:,} for the profile's context and held-out windows. Give at least about"
        f" {-(-size * needed // max(tokens, 1)) if tokens else share * needed:,} bytes of text, or shorten the context"
    )


def _batch(tokens: Tokens, offsets: NDArray[np.int64], context: int) -> Batch:
    windows = tokens[offsets[:, None] + np.arange(context + 1)].astype(np.int32)
    groups = np.zeros(len(offsets), dtype=np.int32)
    return Batch(np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:]), groups)
