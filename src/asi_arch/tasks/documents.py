"""Which files make up a corpus, and what is in them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from asi_arch.domain.errors import DataError

_SUFFIXES = (
    "adoc bib c cc cfg cpp css csv go h hpp htm html ini java jl js json jsonl kt log lua md org php pl py r rb rs rst"
    " scala sh sql srt swift tex text toml ts tsv txt xml yaml yml"
)
TEXT_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Suffixes that are read when a folder is given; a single file may have any."""

_NOT_LIBRARY = frozenset({"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"})
_EXPECTED = "language.data must be 'stdlib' or the path of a text file or folder"


class Entry(NamedTuple):
    """A file by its path below the root, with what tells that it has changed."""

    path: str
    size: int
    modified_ns: int


class Listing(NamedTuple):
    """The files of a corpus, by path. `is_single`: the user named this one file, so leaving it out is no option."""

    root: Path
    entries: tuple[Entry, ...]
    is_single: bool = False


class Document(NamedTuple):
    """A file's path below the root and its bytes, which are UTF-8."""

    path: str
    content: bytes


def library_listing(root: Path) -> Listing:
    """All `.py` files of a standard library without tests and installed packages."""
    entries = tuple(sorted(_walk(root, suffixes=frozenset({".py"}), without=_NOT_LIBRARY))) if root.is_dir() else ()
    if not entries:
        raise DataError(
            f"data 'stdlib': no Python files below {root}; this Python keeps its library elsewhere,"
            " so set language.data to a text file or folder"
        )
    return Listing(root, entries)


def text_listing(path: Path) -> Listing:
    """One text file, or the text files below a folder (hidden ones are left out)."""
    mode = _stat(path).st_mode
    if stat.S_ISDIR(mode):
        return _folder_listing(path)
    if not stat.S_ISREG(mode):
        raise DataError(f"data '{path}': neither a file nor a folder; {_EXPECTED}")
    return Listing(path.parent, (_entry(path, path.parent),), is_single=True)


def _folder_listing(path: Path) -> Listing:
    entries = tuple(sorted(_walk(path, suffixes=TEXT_SUFFIXES, without=frozenset())))
    if entries:
        return Listing(path, entries)
    seen = "no text files in the folder" if any(path.iterdir()) else "the folder is empty"
    raise DataError(f"data '{path}': {seen}; expected files that end in .txt, .md, .py or another text suffix")


def _walk(root: Path, *, suffixes: frozenset[str], without: frozenset[str]) -> Iterator[Entry]:
    for folder, subfolders, files in os.walk(root, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if name not in without and not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            if path.suffix.lower() in suffixes and not name.startswith(".") and os.path.isfile(path):
                yield _entry(path, root)


def _entry(path: Path, root: Path) -> Entry:
    found = _stat(path)
    return Entry(path.relative_to(root).as_posix(), found.st_size, found.st_mtime_ns)


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"data '{path}': no such file or folder; {_EXPECTED}") from error
    except OSError as error:
        raise _unreadable(error) from error


def _refuse(error: OSError) -> NoReturn:
    raise _unreadable(error) from error


def _unreadable(error: OSError) -> DataError:
    return DataError(f"data '{error.filename}': can't be read ({error.strerror}); check its permissions")


def read_documents(listing: Listing) -> tuple[list[Document], int]:
    """The non-empty UTF-8 files of a listing, and how many were left out because they are something else."""
    contents = [(entry.path, _read(listing.root / entry.path)) for entry in listing.entries]
    documents = [Document(path, content) for path, content in contents if content and _is_text(content)]
    skipped = sum(1 for _, content in contents if not _is_text(content))
    if not documents:
        raise DataError(_nothing_left(listing, skipped))
    return documents, skipped


def _nothing_left(listing: Listing, skipped: int) -> str:
    if listing.is_single:
        problem = "is not UTF-8 text (binary?)" if skipped else "is empty"
        return f"data '{listing.root / listing.entries[0].path}': the file {problem}; expected UTF-8 text"
    return (
        f"data '{listing.root}': no text found in {len(listing.entries)} files"
        f" ({skipped} are not UTF-8 text, the others are empty)"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error


def _is_text(content: bytes) -> bool:
    """UTF-8 without zero bytes: those mean a binary file, and separate the files of a corpus."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
