"""The text of a user's paper: PDF by pypdf, plain text and Markdown as they are."""

import logging
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from asi_arch.domain.cognition import OWN_PREFIX, complaint_about_id
from asi_arch.domain.errors import PaperError
from asi_arch.domain.extras import how_to_install
from asi_arch.domain.record import sha256

SUFFIXES = (".pdf", ".txt", ".md")
MAX_FILE_BYTES = 100 << 20
MAX_CHARS = 60_000
"""Of the text that is read, from its beginning: about 15,000 tokens, or 20 printed pages."""
MIN_CHARS = 500
"""Less is no paper, but the leavings of a scan."""
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, NotImplementedError, zlib.error)
"""What pypdf raises for damaged files, besides its own errors."""


class Document(NamedTuple):
    """A paper's text, without control characters and without its list of references."""

    file: str
    text: str
    arxiv: str
    """The arXiv id that its name or first page has, or `own-` and a part of the hash of its text."""
    is_cut: bool
    """Whether there was more than `MAX_CHARS`."""


def read_document(path: Path) -> Document:
    """Read the beginning of a paper. Raises `PaperError` for what can't be read, is too large or has no text."""
    if path.suffix.lower() not in SUFFIXES:
        raise PaperError(f"{path} must be a {', '.join(SUFFIXES)} or .toml file, got '{path.suffix}'")
    content = _content(path)
    raw, is_cut = _pdf_text(path) if path.suffix.lower() == ".pdf" else _plain_text(path, content)
    text = _without_references(_cleaned(raw))
    if len(text) < MIN_CHARS:
        raise PaperError(_too_short(path, len(text)))
    return Document(path.name, text[:MAX_CHARS], _id_of(path, text), is_cut or len(text) > MAX_CHARS)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except IsADirectoryError as error:
        raise PaperError(f"{path} is a folder; name the file in it") from error
    except OSError as error:
        raise PaperError(f"{path} can't be read: {error.strerror or error}") from error
    if not content:
        raise PaperError(f"{path} is empty")
    if len(content) > MAX_FILE_BYTES:
        raise PaperError(f"{path} has more than {MAX_FILE_BYTES >> 20} MiB; cut out the pages that matter")
    return content


def _plain_text(path: Path, content: bytes) -> tuple[str, bool]:
    try:
        return content.decode("utf-8-sig"), False
    except UnicodeDecodeError as error:
        raise PaperError(f"{path} is not UTF-8 text (byte {error.start}); convert it, or give the PDF") from error


def _pdf_text(path: Path) -> tuple[str, bool]:
    """Pages until there is enough, and whether pages were left."""
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise PaperError(f"{path} is a PDF, and reading one needs pypdf: {how_to_install('cognition')}") from error
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise PaperError(f"{path} is encrypted; save a copy without a password")
        return _first_pages(reader)
    except (PyPdfError, *_BROKEN) as error:
        raise PaperError(f"{path} can't be read as a PDF: {error}") from error


def _first_pages(reader: Any) -> tuple[str, bool]:
    parts: list[str] = []
    length = 0
    for page in reader.pages:
        if length > MAX_CHARS:
            return "\n".join(parts), True
        parts.append(page.extract_text())
        length += len(parts[-1])
    return "\n".join(parts), False


def _too_short(path: Path, length: int) -> str:
    if path.suffix.lower() == ".pdf":
        what = "no text" if length == 0 else f"only {length} characters of text"
        return f"{path} has {what}: its pages are probably pictures; make them readable first, e.g. by ocrmypdf"
    return f"{path} has {length} characters of text; a paper has at least {MIN_CHARS}"


def _cleaned(text: str) -> str:
    """Without control characters (terminal sequences among them), halves of characters and long empty stretches."""
    text = re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)", "", text)
    text = text.encode("utf-8", errors="ignore").decode()
    text = "".join(character for character in text if character in "\n\t" or character.isprintable())
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _without_references(text: str) -> str:
    """The text up to its last heading 'References', where that lies behind the first third."""
    headings = list(re.finditer(r"^[#\d. ]*(?:references|bibliography)\s*$", text, re.IGNORECASE | re.MULTILINE))
    if headings and headings[-1].start() > len(text) / 3:
        return text[: headings[-1].start()].rstrip()
    return text


def _id_of(path: Path, text: str) -> str:
    for candidate in _ids_in(path.stem, text[:5_000]):
        if complaint_about_id(candidate) is None:
            return candidate
    return OWN_PREFIX + sha256(text)[:12]


def _ids_in(stem: str, beginning: str) -> Iterator[str]:
    """What looks like the document's own arXiv id: in its file name, or in arXiv's stamp on its first page."""
    yield re.sub(r"v\d+$", "", stem)
    for match in re.finditer(r"arXiv:\s*(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})v\d+\s*\[", beginning):
        yield match[1]
