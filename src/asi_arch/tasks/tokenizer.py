"""Bytes or byte-level BPE. A BPE is trained on the train part only; scores stay comparable as bits per byte."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.errors import ProfileError
from asi_arch.domain.profile import Split
from asi_arch.domain.record import canonical_hash
from asi_arch.tasks.array_cache import Arrays, cached
from asi_arch.tasks.corpus import Corpus, Tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BYTES = 256
"""Vocabulary of the byte tokenizer, and the alphabet that every BPE starts from."""

_PARTS = ("train", "validation", "fresh", "vault")
_NAMES = (*_PARTS, "byte_lengths", "model")
_PIECE_BYTES = 64 * 1024
_PIECES_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class TokenizedCorpus:
    """A corpus as token ids below `vocabulary`. `byte_lengths[id]` is the number of bytes a token stands for."""

    vocabulary: int
    fingerprint: str
    train: Tokens
    validation: Tokens
    fresh: Tokens
    vault: Tokens
    byte_lengths: NDArray[np.int64]
    model: str = ""
    """The trained tokenizer in the JSON form of the `tokenizers` package; empty for bytes."""

    def held_out(self, split: Split) -> Tokens:
        """The part that belongs to a held-out split."""
        return {Split.VALIDATION: self.validation, Split.FRESH: self.fresh, Split.VAULT: self.vault}[split]


def vocabulary_size(name: str) -> int:
    """256 for 'bytes', N for 'bpe:N'. Raises `ProfileError` for everything else."""
    if name == "bytes":
        return BYTES
    size = name.removeprefix("bpe:")
    if name.startswith("bpe:") and size.isascii() and size.isdigit() and BYTES < int(size) <= 2**20:
        return int(size)
    raise ProfileError(f"language.vocabulary must be 'bytes' or 'bpe:N' with 256 < N <= 1048576, got {name!r}")


def tokenize(corpus: Corpus, vocabulary: str, cache: Path) -> TokenizedCorpus:
    """The corpus in tokens of the named vocabulary; a BPE and its tokens are made once and kept in `cache`.

    The vocabulary may come out smaller than asked for when the text holds too few repeated pairs.
    """
    size = vocabulary_size(vocabulary)
    if vocabulary == "bytes":
        lengths = np.ones(BYTES, dtype=np.int64)
        train, validation, fresh, vault = _parts(corpus)
        return TokenizedCorpus(BYTES, corpus.fingerprint, train, validation, fresh, vault, lengths)
    key = canonical_hash([corpus.fingerprint, size, _package_version()])
    arrays = cached(cache / f"tokens-{key[:32]}.npz", _NAMES, lambda: _encode(corpus, size))
    model = str(arrays["model"][0])
    lengths, fingerprint = arrays["byte_lengths"], canonical_hash([corpus.fingerprint, model])
    train, validation, fresh, vault = (arrays[part] for part in _PARTS)
    return TokenizedCorpus(len(lengths), fingerprint, train, validation, fresh, vault, lengths, model)


def _parts(corpus: Corpus) -> tuple[Tokens, Tokens, Tokens, Tokens]:
    return corpus.train, corpus.validation, corpus.fresh, corpus.vault


def _package_version() -> str:
    # Imported here and below because only BPE needs the package, and the command line has to start quickly.
    import tokenizers

    return tokenizers.__version__


def _encode(corpus: Corpus, size: int) -> Arrays:
    tokenizer = _trained(corpus.train, size)
    found = tokenizer.get_vocab_size()
    # In the byte-level alphabet every character of a token stands for one byte.
    lengths = [len(tokenizer.id_to_token(number) or "") for number in range(found)]
    return {
        **{name: _tokens(tokenizer, part) for name, part in zip(_PARTS, _parts(corpus), strict=True)},
        "byte_lengths": np.array(lengths, dtype=np.int64),
        "model": np.array([tokenizer.to_str()]),
    }


def _trained(text: Tokens, size: int) -> "Tokenizer":
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(_pieces(text), trainer)
    return tokenizer


def _tokens(tokenizer: "Tokenizer", text: Tokens) -> Tokens:
    dtype = np.uint16 if tokenizer.get_vocab_size() <= 2**16 else np.uint32
    pieces = list(_pieces(text))
    encoded: list[Tokens] = []
    for start in range(0, len(pieces), _PIECES_AT_ONCE):
        for encoding in tokenizer.encode_batch_fast(pieces[start : start + _PIECES_AT_ONCE]):
            encoded.append(np.array(encoding.ids, dtype=dtype))
    return np.concatenate(encoded) if encoded else np.zeros(0, dtype=dtype)


def _pieces(text: Tokens) -> Iterator[str]:
    """The text in pieces of about 64 KiB that end with a line or a file, to bound memory."""
    content = text.tobytes()
    start = 0
    while start < len(content):
        end = _end_of_piece(content, start + _PIECE_BYTES)
        yield content[start:end].decode()
        start = end


def _end_of_piece(content: bytes, wanted: int) -> int:
    if wanted >= len(content):
        return len(content)
    newline = content.find(b"\n", wanted, wanted + _PIECE_BYTES)
    if newline >= 0:
        return newline + 1
    while wanted < len(content) and content[wanted] & 0xC0 == 0x80:
        wanted += 1
    return wanted
