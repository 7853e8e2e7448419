"""`asi-arch import gallery`: published programs as the next experiments of a campaign."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from asi_arch.app import opened_campaign
from asi_arch.cli import options
from asi_arch.cli.sources import MAX_SOURCE_BYTES
from asi_arch.domain.errors import CandidateError
from asi_arch.engine.importing import GalleryEntry, Placed, import_entries, placements
from asi_arch.wishes import Wish

MAX_GALLERY_BYTES = 256 << 20
_SHOWN = 10
"""Complaints about one file."""
_MAX_NAME = 200
_UNKNOWN = -1
"""The number of a parent that is named and not in the file."""
_BROKEN = "'program' is not valid Python"
_MEND = "\nMend the programs, or leave such entries out with --skip-broken."


class ImportWish(NamedTuple):
    """The command's options as typed."""

    file: Path
    adapter: str
    profile: str | None
    data: str | None
    state: Path | None
    as_json: bool
    skip_broken: bool = False


class Gallery(NamedTuple):
    """What a file holds: usable entries, and a sentence for each that was left out."""

    entries: list[GalleryEntry]
    left_out: list[str]


def import_gallery(wish: ImportWish) -> None:
    """Read and check the whole file, then store all of it at once; nothing is stored where anything is wrong."""
    adapter = options.adapter(wish.adapter)
    entries, left_out = read_gallery(wish.file, skip_broken=wish.skip_broken)
    settings = options.settings(wish.state)
    asked = Wish(profile=wish.profile, data=wish.data)
    with opened_campaign(settings.state, asked, settings) as (campaign, store):
        placed = placements(store, campaign.profile.search, entries)
        with _bar(wish.as_json) as bars, store.together():
            bar = bars.add_task("importing", total=len(placed))
            import_entries(store, placed, adapter, lambda: bars.advance(bar))
        summary = _summary(placed, settings.state, left_out)
    if wish.as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(summary, indent=2), markup=False)
    else:
        _print(summary)


def read_gallery(path: Path, *, skip_broken: bool = False) -> Gallery:
    """All entries of the file; with `skip_broken` without those whose program is not valid Python.

    Raises `CandidateError` that names every entry and field that is wrong, up to ten.
    """
    listed = _numbered(_listed(path))
    broken = dict(_broken_programs(listed)) if skip_broken else {}
    usable = [(place, item) for place, item in enumerate(listed) if place not in broken]
    complaints = [f"entry {place}: {text}" for place, item in usable for text in _faults(item)]
    if not complaints:
        entries = _entries([item for _, item in usable])
        complaints = list(_faults_between(entries, [place for place, _ in usable]))
    else:
        entries = []
    if not usable:
        complaints = list(broken.values())
    if complaints:
        more = f"\n  and {len(complaints) - _SHOWN} more" if len(complaints) > _SHOWN else ""
        lines = "".join(f"\n  {text}" for text in complaints[:_SHOWN])
        mend = _MEND if not skip_broken and any(_BROKEN in text for text in complaints) else ""
        raise CandidateError(f"{path} can't be imported, nothing was stored:{lines}{more}{mend}")
    return Gallery(entries, list(broken.values()))


def _numbered(listed: list[Any]) -> list[Any]:
    """Entries are numbered by their places where none of them says anything else."""
    if any(not isinstance(item, dict) or cast(dict[str, Any], item).get("index") is not None for item in listed):
        return listed
    return [{**item, "index": place} for place, item in enumerate(listed)]


def _broken_programs(listed: list[Any]) -> Iterator[tuple[int, str]]:
    """Places of programs that could never run, with the reason."""
    for place, item in enumerate(listed):
        program = cast(dict[str, Any], item).get("program") if isinstance(item, dict) else None
        for fault in _faults_of_program(program) if isinstance(program, str) else ():
            yield place, f"entry {place}: {fault}"


def _listed(path: Path) -> list[Any]:
    try:
        size = path.stat().st_size
        if size > MAX_GALLERY_BYTES:
            raise CandidateError(f"{path} has {size:,} bytes; a gallery may have {MAX_GALLERY_BYTES:,}")
        found = json.loads(path.read_bytes().decode("utf-8"))
    except IsADirectoryError as error:
        raise CandidateError(f"{path} is a folder; name the JSON file in it") from error
    except OSError as error:
        raise CandidateError(f"{path} can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CandidateError(f"{path} is not UTF-8 text (byte {error.start}); a gallery is a JSON file") from error
    except (ValueError, RecursionError) as error:
        raise CandidateError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, list) or not found:
        kind = "an empty list" if found == [] else f"a {type(found).__name__}"  # pyright: ignore[reportUnknownArgumentType]
        raise CandidateError(f"{path} must hold a list of objects with name and program, got {kind}")
    return cast(list[Any], found)


def _faults(item: Any) -> Iterator[str]:
    """What is wrong with one entry alone; other fields than ours are nobody's business."""
    if not isinstance(item, dict):
        yield f"must be an object, got a {type(item).__name__}"
        return
    fields = cast(dict[str, Any], item)
    for name in ("name", "program", "motivation"):
        yield from _faults_of_text(fields, name)
    yield from _faults_of_numbers(fields)


def _faults_of_text(item: dict[str, Any], field: str) -> Iterator[str]:
    value = item.get(field)
    if field == "motivation" and value is None:
        return
    if field not in item:
        yield f"'{field}' is missing"
    elif not isinstance(value, str):
        yield f"'{field}' must be a text, got a {type(value).__name__}"
    elif field != "motivation" and not value.strip():
        yield f"'{field}' is empty"
    elif field == "name" and (len(value) > _MAX_NAME or not value.isprintable()):
        yield f"'name' must be one line of at most {_MAX_NAME} characters"
    elif field == "program":
        yield from _faults_of_program(value)


def _faults_of_numbers(item: dict[str, Any]) -> Iterator[str]:
    if item.get("index") is None:
        yield "'index' is missing; number the entries in the order in which they were made"
    elif _count(item["index"]) is None:
        yield f"'index' must be a whole number from 0 on, got {item['index']!r}"
    parent = item.get("parent")
    if not (parent is None or isinstance(parent, str) or parent == -1) and _count(parent) is None:
        yield f"'parent' must be the index or the name of another entry or null, got {parent!r}"


def _faults_of_program(program: str) -> Iterator[str]:
    size = len(program.encode("utf-8", errors="replace"))
    if size > MAX_SOURCE_BYTES:
        yield f"'program' has {size:,} bytes; a candidate may have {MAX_SOURCE_BYTES:,}"
        return
    try:
        program.encode("utf-8")
        ast.parse(program)
    except SyntaxError as error:
        yield f"{_BROKEN}: {error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        yield f"{_BROKEN}: {error}"


def _count(value: object) -> int | None:
    """A whole number from 0 on, which some files write as 3.0 or "3"; None for anything else."""
    match value:
        case bool():
            return None
        case int() if value >= 0:
            return value
        case float() if value.is_integer() and value >= 0:
            return int(value)
        case str() if value.strip().isdecimal():
            return int(value)
        case _:
            return None


def _entries(items: list[dict[str, Any]]) -> list[GalleryEntry]:
    """In the order of the file; a parent may be named by what its entry is called."""
    numbers = {item["name"].strip(): _count(item["index"]) for item in reversed(items)}
    return [_entry(item, numbers) for item in items]


def _entry(item: dict[str, Any], numbers: dict[str, int | None]) -> GalleryEntry:
    result, parent, number = item.get("result"), item.get("parent"), _count(item["index"])
    assert number is not None
    above = _count(parent)
    if above is None and isinstance(parent, str) and parent.strip():
        above = numbers.get(parent.strip(), _UNKNOWN)
    return GalleryEntry(
        number=number,
        parent=above,
        name=item["name"].strip(),
        motivation=_storable(item.get("motivation") or ""),
        result=_storable(result if isinstance(result, str) else "" if result is None else json.dumps(result)),
        program=item["program"],
    )


def _storable(text: str) -> str:
    """JSON can name halves of characters, which no file can hold."""
    return text.encode("utf-8", errors="replace").decode().strip()


def _faults_between(entries: list[GalleryEntry], places: list[int]) -> Iterator[str]:
    first: dict[int, int] = {}
    for place, entry in zip(places, entries, strict=True):
        if entry.number in first:
            yield f"entry {place}: 'index' {entry.number} is that of entry {first[entry.number]} as well"
        first.setdefault(entry.number, place)
        if entry.parent is not None and entry.parent >= entry.number:
            yield f"entry {place}: 'parent' must be smaller than its own index {entry.number}, got {entry.parent}"


def _bar(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True)


def _summary(placed: list[Placed], folder: Path, left_out: list[str]) -> dict[str, Any]:
    lines = [
        {
            "experiment": item.index,
            "index": item.entry.number,
            "name": item.entry.name,
            "parent": item.parent,
            "is_new": item.is_new,
        }
        for item in placed
    ]
    return {
        "state": str(folder),
        "imported": sum(item.is_new for item in placed),
        "already_there": sum(not item.is_new for item in placed),
        "parents_unknown": sum(item.parent is None and item.entry.parent is not None for item in placed),
        "experiments_needed": max(item.index for item in placed) + 1,
        "left_out": left_out,
        "entries": lines,
    }


def _print(summary: dict[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(f"{summary['imported']} programs imported into {summary['state']}", markup=False)
    if summary["already_there"]:
        console.print(f"{summary['already_there']} were there before and stay as they are")
    if summary["parents_unknown"]:
        console.print(
            f"{summary['parents_unknown']} have a parent that is not in the file; they start a line of their own"
        )
    for reason in summary["left_out"]:
        console.print(f"Left out: {reason}", markup=False)
    command = f"asi-arch run -n {summary['experiments_needed']} --state {summary['state']}"
    console.print(f"Nothing is checked or trained yet: {command}", markup=False)
