"""Published figures as tables: who descends from whom with which score, and more about some of the designs.

Both files are tab-separated UTF-8 text without quoting, with the columns' names in the first line; their columns may
stand in any order. An empty cell or `nan` is a missing value. See `docs/reference/published-tables.md`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from asi_arch.domain.errors import ArchiveError
from asi_arch.domain.published import CurvePoint, Origin, Published
from asi_arch.engine.archives.entry import Archive, Entry, circular, finite, one_line, prose, refuse, require_few
from asi_arch.engine.archives.files import read_text

TREE_COLUMNS: Final = ("index", "parent", "score", "name")
"""What the first file must have."""
_MORE: Final = ("display_name", "motivation")
_KNOWN: Final = frozenset({*TREE_COLUMNS, *_MORE, "parameters", "search_score"})
_LOSS: Final = re.compile(r"loss@(\d{1,9})")
_INDEX: Final = re.compile(r"\d{1,9}")
_PARAMETERS: Final = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)([KMBG]?)")
_SUFFIX: Final = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9}
_SHOWN_CELL: Final = 40

V = TypeVar("V")


class Row(NamedTuple):
    """One line of a table."""

    line: int
    cells: Mapping[str, str]
    """Column -> what stands there; missing values are left out."""


class Sheet(NamedTuple):
    """One file."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    sha: str


class Details(NamedTuple):
    """What the second file says of one design."""

    number: int
    row: Row
    published: Published


def read_tables(tree: Path, gallery: Path | None = None) -> Archive:
    """All designs of the tree, with what the gallery knows of them. Raises `ArchiveError` that names every bad line."""
    sheet = read_sheet(tree, TREE_COLUMNS)
    entries = _tree(tree, sheet)
    ignored = _note(sheet, "columns that are not read", [name for name in sheet.columns if name not in _KNOWN])
    if gallery is None:
        return Archive(_origin(sheet, len(entries), None, 0), entries, ignored)
    more = read_sheet(gallery, ("index",))
    details = _details(gallery, more, entries)
    completed = [e._replace(published=_together(e.published, details.get(e.number))) for e in entries]
    tasks = _tasks(more)
    texts = [name for name in more.columns if name not in _KNOWN and name not in tasks and not _LOSS.fullmatch(name)]
    notes = (*ignored, *_note(more, "columns without any number", texts))
    return Archive(_origin(sheet, len(entries), more, len(details)), completed, notes)


def read_sheet(path: Path, required: Sequence[str]) -> Sheet:
    """Header and lines of a file. Raises `ArchiveError` for one without them or without a required column."""
    text, sha = read_text(path, "a table (tab-separated text)")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if not text.strip():
        raise ArchiveError(f"{path} is empty; its first line must name the columns {', '.join(required)}")
    columns = tuple(name.strip() for name in lines[0].split("\t"))
    if missing := [name for name in required if name not in columns]:
        tab = "" if len(columns) > 1 else " (it has no tab: columns must be separated by tabs)"
        raise ArchiveError(f"{path} has no column {', '.join(missing)} in its first line{tab}")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise ArchiveError(f"{path} names the column {', '.join(twice)} twice")
    filled = [(number, line) for number, line in enumerate(lines[1:], 2) if line.strip()]
    require_few(str(path), len(filled))
    if not filled:
        raise ArchiveError(f"{path} has no line below the columns' names")
    long = [f"line {n}: has {line.count(chr(9)) + 1} cells under {len(columns)} columns" for n, line in filled]
    refuse(str(path), [text for text, (_, line) in zip(long, filled, strict=True) if line.count("\t") >= len(columns)])
    return Sheet(path.name, columns, [Row(number, _cells(columns, line)) for number, line in filled], sha)


def _cells(columns: Sequence[str], line: str) -> dict[str, str]:
    """Missing cells at the end of a line are missing values: some editors cut them off."""
    stripped = zip(columns, (cell.strip() for cell in line.split("\t")), strict=False)
    return {name: cell for name, cell in stripped if cell and cell.lower() != "nan"}


def _tree(path: Path, sheet: Sheet) -> list[Entry]:
    entries, complaints = _parsed(sheet.rows, lambda row: _entry(row, sheet.name))
    refuse(str(path), complaints)
    complaints = _twice([(entry.number, row) for entry, row in zip(entries, sheet.rows, strict=True)])
    known = {entry.number for entry in entries}
    complaints += [
        f"line {row.line}: parent {entry.parent} is not the index of any line"
        for entry, row in zip(entries, sheet.rows, strict=True)
        if entry.parent is not None and entry.parent not in known
    ]
    refuse(str(path), complaints or circular(entries))
    return sorted(entries, key=lambda entry: entry.number)


def _entry(row: Row, file: str) -> Entry:
    label = one_line(_required(row, "name"))
    parent = row.cells.get("parent")
    return Entry(
        number=_index(_required(row, "index"), "index"),
        parent=None if parent is None else _index(parent, "parent"),
        place=f"{file}, line {row.line}",
        name=one_line(row.cells.get("display_name", ""), otherwise=label or "(no name)"),
        published=Published(label=label, score=_number(row, "score")),
        motivation=prose(row.cells.get("motivation")),
    )


def _details(path: Path, sheet: Sheet, entries: Iterable[Entry]) -> dict[int, Details]:
    """What the gallery knows, by index. Raises `ArchiveError` where it is not the gallery of this tree."""
    tree, tasks = {entry.number: entry for entry in entries}, _tasks(sheet)
    found, complaints = _parsed(sheet.rows, lambda row: _detail(row, tasks))
    refuse(str(path), complaints)
    complaints = _twice([(detail.number, detail.row) for detail in found])
    complaints += [text for detail in found if (text := _contradiction(detail, tree.get(detail.number)))]
    refuse(str(path), complaints)
    return {detail.number: detail for detail in found}


def _detail(row: Row, tasks: Sequence[str]) -> Details:
    losses = {int(match[1]): name for name in row.cells if (match := _LOSS.fullmatch(name))}
    curve = [(step, _number(row, losses[step])) for step in sorted(losses)]
    results = {name: _number(row, name) for name in tasks}
    return Details(
        _index(_required(row, "index"), "index"),
        row,
        Published(
            parameters=_parameters(row.cells.get("parameters")),
            curve=tuple(CurvePoint(step=step, loss_nats=loss) for step, loss in curve if loss is not None),
            tasks={one_line(name): result for name, result in results.items() if result is not None},
        ),
    )


def _contradiction(detail: Details, entry: Entry | None) -> str:
    """A design that the tree has not, or has under another name, belongs to another tree."""
    line, name = f"line {detail.row.line}: index {detail.number}", detail.row.cells.get("name")
    if entry is None:
        return f"{line} is not in the tree"
    if name is not None and one_line(name) != entry.published.label:
        return f"{line} is called {_shown(name)}, in the tree {_shown(entry.published.label)}"
    return ""


def _together(known: Published, details: Details | None) -> Published:
    if details is None:
        return known
    return details.published.model_copy(update={"label": known.label, "score": known.score})


def _tasks(sheet: Sheet) -> list[str]:
    """Columns that nobody here knows and that hold a number somewhere."""
    unknown = [name for name in sheet.columns if name and name not in _KNOWN and not _LOSS.fullmatch(name)]
    return [name for name in unknown if any(_is_number(row.cells.get(name)) for row in sheet.rows)]


def _parsed(rows: Iterable[Row], parse: Callable[[Row], V]) -> tuple[list[V], list[str]]:
    """What could be read, and a complaint for every line that could not."""
    found: list[V] = []
    complaints: list[str] = []
    for row in rows:
        try:
            found.append(parse(row))
        except ValueError as error:
            complaints.append(f"line {row.line}: {error}")
    return found, complaints


def _twice(numbered: Iterable[tuple[int, Row]]) -> list[str]:
    first: dict[int, int] = {}
    complaints: list[str] = []
    for number, row in numbered:
        if number in first:
            complaints.append(f"line {row.line}: index {number} is that of line {first[number]} as well")
        first.setdefault(number, row.line)
    return complaints


def _required(row: Row, column: str) -> str:
    if column not in row.cells:
        raise ValueError(f"'{column}' is missing")
    return row.cells[column]


def _index(text: str, column: str) -> int:
    if not _INDEX.fullmatch(text):
        raise ValueError(f"'{column}' must be a whole number from 0 on, got {_shown(text)}")
    return int(text)


def _number(row: Row, column: str) -> float | None:
    """None for a missing value."""
    text = row.cells.get(column)
    if text is None:
        return None
    if not _is_number(text):
        raise ValueError(f"'{column}' must be a finite number, or empty or nan where it is missing, got {_shown(text)}")
    return float(text)


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and "_" not in text and finite(float(text)) is not None
    except ValueError:
        return False


def _parameters(text: str | None) -> int | None:
    """'495.73M' as 495,730,000."""
    if text is None:
        return None
    match = _PARAMETERS.fullmatch(text)
    if match is None:
        raise ValueError(f"'parameters' must be a number like 495.73M, 1.3B or 817010000, got {_shown(text)}")
    return int(Decimal(match[1]) * _SUFFIX[match[2]])


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CELL else f"{text[:_SHOWN_CELL]}...")


def _note(sheet: Sheet, what: str, columns: Sequence[str]) -> tuple[str, ...]:
    named = ", ".join(one_line(name, otherwise="(no name)") for name in columns[:20])
    return (f"{one_line(sheet.name)}: {what}: {named}",) if columns else ()


def _origin(tree: Sheet, designs: int, gallery: Sheet | None, detailed: int) -> Origin:
    title = f"{designs:,} designs of {one_line(tree.name)}"
    files = {f"tree: {one_line(tree.name)}": tree.sha}
    if gallery is not None:
        title += f", {detailed:,} of them in {one_line(gallery.name)}"
        files[f"gallery: {one_line(gallery.name)}"] = gallery.sha
    score = "as published in the column 'score'; higher is better"
    return Origin(format="tables", title=title, files=files, score=score)
