"""Text as bytes in four parts: train, validation, fresh (for trainings with fresh seeds) and vault (`verify` alone).

Two sources: the standard library of the running Python, and a user's text file or folder. Whole files go to one part,
chosen by a hash of their relative path, so that adding a file never moves another one. Where that can't give sensible
parts (a single file, a few large ones) the text is cut into contiguous blocks. Identical files count once. Every file
ends with a zero byte.
"""

import platform
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.profile import Split
from asi_arch.domain.record import canonical_hash, sha256
from asi_arch.tasks.array_cache import Arrays, cached
from asi_arch.tasks.documents import Document, Listing, library_listing, read_documents, text_listing

SPLITTING = 2
"""Version of the rules of this file; part of every corpus' fingerprint."""

Tokens = NDArray[np.unsignedinteger[Any]]

_NAMES = ("train", "validation", "fresh", "vault", "about")
_PLACES = (("validation", 0.05), ("fresh", 0.075), ("vault", 0.10))
"""Up to where on the unit interval a file's hash puts it into each held-out part; train has the rest."""
_SENSIBLE_SHARES = (0.02, 0.15)
"""Of the validation part, and of fresh and vault together."""
_LEAST_HALF = 0.01
"""Of fresh and of vault."""
_BLOCK_BYTES = 64 * 1024
_END = b"\0"


@dataclass(frozen=True, eq=False)
class Corpus:
    """Four parts of unsigned token ids (here: bytes). `fingerprint` changes with any byte of any part."""

    name: str
    description: str
    fingerprint: str
    train: Tokens
    validation: Tokens
    fresh: Tokens
    vault: Tokens

    def held_out(self, split: Split) -> Tokens:
        """The part that belongs to a held-out split."""
        return {Split.VALIDATION: self.validation, Split.FRESH: self.fresh, Split.VAULT: self.vault}[split]


class _Parts(NamedTuple):
    train: bytes
    validation: bytes
    fresh: bytes
    vault: bytes


def stdlib_corpus(cache: Path) -> Corpus:
    """The `.py` files of the running Python's standard library without its tests, split by file.

    Raises `DataError` where the library is not there as files (e.g. inside a zip archive).
    """
    listing = library_listing(Path(sysconfig.get_paths()["stdlib"]))
    return _corpus("stdlib", f"standard library of Python {platform.python_version()}", listing, cache)


def text_corpus(path: Path, cache: Path) -> Corpus:
    """A text file, or all text files below a folder; files that are not UTF-8 text are left out and counted.

    Raises `DataError` for a missing path, an unreadable file, a folder without text, and a file that is no text.
    """
    listing = text_listing(path.expanduser())
    return _corpus(str(path), f"text of {path.name or path}", listing, cache)


def _corpus(name: str, title: str, listing: Listing, cache: Path) -> Corpus:
    """Load or build; the cache is keyed by names, sizes and times of the files, the fingerprint by their content."""
    key = canonical_hash([SPLITTING, title, str(listing.root), [list(entry) for entry in listing.entries]])
    arrays = cached(cache / f"corpus-{key[:32]}.npz", _NAMES, lambda: _build(title, listing))
    fingerprint, description = str(arrays["about"][0]), str(arrays["about"][1])
    return Corpus(name, description, fingerprint, *(_frozen(arrays[part]) for part in _Parts._fields))


def _build(title: str, listing: Listing) -> Arrays:
    documents, skipped = read_documents(listing)
    unique = _without_copies(documents)
    parts = _split(unique)
    listed = sorted([document.path, sha256(document.content)] for document in unique)
    about = np.array([canonical_hash([SPLITTING, listed]), _description(title, unique, skipped)])
    return {"about": about, **{name: np.frombuffer(part, dtype=np.uint8) for name, part in parts._asdict().items()}}


def _description(title: str, documents: Sequence[Document], skipped: int) -> str:
    megabytes = sum(len(document.content) for document in documents) / 1e6
    size = f"{megabytes:.1f} MB" if megabytes >= 0.1 else f"{megabytes * 1e3:.1f} kB"
    left_out = f" ({skipped:,} not UTF-8 text left out)" if skipped else ""
    return f"{title}: {len(documents):,} {'file' if len(documents) == 1 else 'files'}{left_out}, {size}"


def _without_copies(documents: Iterable[Document]) -> list[Document]:
    """The first of equal files by path, in an order that neither follows the alphabet nor depends on other files."""
    unique: dict[str, Document] = {}
    for document in sorted(documents, key=lambda document: document.path):
        unique.setdefault(sha256(document.content), document)
    return sorted(unique.values(), key=lambda document: sha256(f"order\0{document.path}"))


def _split(documents: Sequence[Document]) -> _Parts:
    """By file where the held-out parts come out at a sensible size, by blocks otherwise.

    Where only fresh and vault don't, because their few files lie on one side, what they hold together is halved.
    """
    parts = _by_file(documents)
    size, kept = sum(map(len, parts)), len(parts.fresh) + len(parts.vault)
    low, high = (share * size for share in _SENSIBLE_SHARES)
    if not (low <= len(parts.validation) <= high and low <= kept <= high):
        return _by_blocks(documents)
    if min(len(parts.fresh), len(parts.vault)) >= _LEAST_HALF * size:
        return parts
    fresh, vault = _halves(parts.fresh + parts.vault)
    return parts._replace(fresh=fresh, vault=vault)


def _by_file(documents: Sequence[Document]) -> _Parts:
    parts: dict[str, list[bytes]] = {name: [] for name in _Parts._fields}
    for document in documents:
        parts[_part_of(document.path)].append(document.content + _END)
    return _Parts(*(b"".join(part) for part in parts.values()))


def _part_of(path: str) -> str:
    place = int(sha256(f"part\0{path}")[:16], 16) / 2**64
    return next((name for name, end in _PLACES if place < end), "train")


def _by_blocks(documents: Sequence[Document]) -> _Parts:
    """Rounds of 45% train, 5% validation, 45% train, 2.5% fresh, 2.5% vault.

    There are up to 16, so that all regions of the text are seen.
    """
    text = b"".join(document.content + _END for document in documents)
    rounds = min(max(len(text) // (20 * _BLOCK_BYTES), 1), 16)
    shares = [number + share for number in range(rounds) for share in (0.0, 0.45, 0.5, 0.95)]
    cuts = [*(_boundary(text, int(share / rounds * len(text))) for share in shares), len(text)]
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    train = [piece for number, piece in enumerate(pieces) if number % 2 == 0]
    fresh, vault = zip(*(_halves(piece) for piece in pieces[3::4]), strict=True)
    return _Parts(_END.join(train), _END.join(pieces[1::4]), _END.join(fresh), _END.join(vault))


def _halves(text: bytes) -> tuple[bytes, bytes]:
    cut = _boundary(text, len(text) // 2)
    return text[:cut], text[cut:]


def _boundary(text: bytes, wanted: int) -> int:
    """The first start of a line at or after `wanted`, or of a character where lines are very long."""
    newline = text.find(b"\n", wanted - 1, wanted + 4096) if wanted else -1
    if newline >= 0:
        return newline + 1
    while wanted < len(text) and text[wanted] & 0xC0 == 0x80:
        wanted += 1
    return wanted


def _frozen(array: Tokens) -> Tokens:
    array.setflags(write=False)
    return array
