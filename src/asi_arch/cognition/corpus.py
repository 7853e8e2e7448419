"""Papers as TOML files, one each: those that ship, and those in the user's own folder."""

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from asi_arch.domain.cognition import Paper
from asi_arch.domain.errors import PaperError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGED = Path(__file__).parent / "papers"
MAX_PAPER_BYTES = 200_000
PARTS = ("trigger", "background", "algorithm", "guidance")
"""Of an entry, in the order of the file."""


class Corpus(NamedTuple):
    """All papers. The user's are apart, so that adding one leaves the index of the others alone."""

    packaged: tuple[Paper, ...]
    own: tuple[Paper, ...]

    @property
    def papers(self) -> tuple[Paper, ...]:
        """Those that ship, then the user's own; each group sorted by id."""
        return self.packaged + self.own


def load_corpus(own: Path, packaged: Path = PACKAGED) -> Corpus:
    """Read both folders; the user's need not exist. Raises `PaperError` for a file that can't be used.

    The user's own files may not have an id of a paper that ships, or the same search would find it twice.
    """
    corpus = Corpus(*(tuple(read_paper(path) for path in paper_files(folder)) for folder in (packaged, own)))
    seen: set[str] = set()
    for paper in corpus.papers:
        if paper.arxiv in seen:
            raise PaperError(f"{path_of(paper.arxiv, own)}: {paper.arxiv} is there already; remove this file")
        seen.add(paper.arxiv)
    return corpus


def paper_files(folder: Path) -> list[Path]:
    """The TOML files of a folder, sorted; none where there is no such folder."""
    return sorted(folder.glob("*.toml"))


def path_of(arxiv: str, folder: Path) -> Path:
    """Where a paper is kept; old ids with a slash get a hyphen instead."""
    return folder / f"{arxiv.replace('/', '-')}.toml"


def read_paper(path: Path) -> Paper:
    """One file. Raises `PaperError` that names every field that is missing or wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PAPER_BYTES + 1)
    except IsADirectoryError as error:
        raise PaperError(f"{path} is a folder; name the files in it") from error
    except OSError as error:
        raise PaperError(f"{path} can't be read: {error.strerror or error}") from error
    if len(content) > MAX_PAPER_BYTES:
        raise PaperError(f"{path} has more than the {MAX_PAPER_BYTES:,} bytes that a paper's entries may have")
    try:
        return Paper.model_validate(tomllib.loads(content.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise PaperError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise PaperError(f"{path} can't be read as TOML: {error}") from error
    except ValidationError as error:
        raise PaperError(f"{path}: {readable(error)}") from error


def readable(error: ValidationError) -> str:
    """One clause per mistake: where, what, and the value where it is short."""
    items = error.errors(include_url=False)
    places = [item["loc"] for item in items]
    # A list whose only item is wrong counts as empty as well.
    told = [i for i in items if not any(place[: len(i["loc"])] == i["loc"] != place for place in places)]
    return "; ".join(_clause(item["loc"], item["type"], item["msg"], item["input"]) for item in told)


def _clause(location: tuple[int | str, ...], kind: str, message: str, value: object) -> str:
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in location) or "paper"
    place = place.replace("entries.", "entry ", 1)
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        return f"{place} is unknown; remove it or correct its spelling"
    if kind == "string_too_short":
        return f"{place} is empty"
    shown = f" (got {value!r})" if isinstance(value, int | float | str) and len(str(value)) <= 60 else ""
    return f"{place}: {message.removeprefix('Value error, ')}{shown}"


def save_paper(paper: Paper, folder: Path) -> Path:
    """Write the user's paper, whole or not at all. Raises `PaperError` where it is there or can't be written."""
    path = path_of(paper.arxiv, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=folder, prefix=f"{path.name}.", suffix=".unfinished")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(as_toml(paper))
                file.flush()
                os.fsync(file.fileno())
            os.link(beside, path)
        finally:
            os.unlink(beside)
    except FileExistsError as error:
        raise PaperError(f"{path} is there already; remove it first to replace it") from error
    except OSError as error:
        reason = error.strerror or error
        raise PaperError(f"{path} can't be written: {reason}; `papers` in the settings names the folder") from error
    return path


def as_toml(paper: Paper) -> str:
    """The file of a paper; reading it gives an equal paper."""
    lines = [f"{name} = {_quoted(value)}" for name, value in (("arxiv", paper.arxiv), ("name", paper.name))]
    lines[1:1] = [f"year = {paper.year}"]
    lines.append(f"theme = {_quoted(paper.theme.value)}")
    for entry in paper.entries:
        lines += ["", "[[entries]]", f"id = {_quoted(entry.id)}"]
        lines += [f"{name} = {_block(getattr(entry, name))}" for name in PARTS]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return f'"{"".join(_escaped(text))}"'


def _block(text: str) -> str:
    return f'"""\n{"".join(_escaped(text, kept=chr(10)))}"""'


def _escaped(text: str, kept: str = "") -> Iterable[str]:
    """TOML's basic strings: quotes, backslashes and control characters get a backslash."""
    for character in text:
        if character in '"\\':
            yield "\\" + character
        elif character in kept or (character >= " " and character != "\x7f"):
            yield character
        else:
            yield f"\\u{ord(character):04x}"
