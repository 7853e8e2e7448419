"""`asi-arch import tables | openevolve | shinka`: campaigns by others, to be read here."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from asi_arch import __version__
from asi_arch.cli import options
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import Profile
from asi_arch.engine.archives import shinka
from asi_arch.engine.archives.entry import MAX_ENTRIES, MAX_PROGRAM_BYTES, Archive, Tick
from asi_arch.engine.archives.openevolve import read_checkpoint
from asi_arch.engine.archives.tables import read_tables
from asi_arch.engine.archives.writing import campaign_of, is_there, write
from asi_arch.folders import CLOCK, opened_for_import
from asi_arch.report.shape import shape_of, shape_text
from asi_arch.report.words import number
from asi_arch.settings import load_profile
from asi_arch.store.shinka import read_programs

_PUBLISHED = "paper"
"""The profile of the published tables' protocol."""


class ArchiveWish(NamedTuple):
    """The commands' common options as typed."""

    state: Path | None
    as_json: bool


def import_tables(tree: Path, gallery: Path | None, wish: ArchiveWish) -> None:
    """Published figures."""
    _import(lambda _: read_tables(tree, gallery), load_profile(_PUBLISHED), wish)


def import_openevolve(folder: Path, wish: ArchiveWish) -> None:
    """A checkpoint of OpenEvolve."""
    _import(lambda tick: read_checkpoint(folder, tick), _nobodys_profile(), wish)


def import_shinka(file: Path, wish: ArchiveWish) -> None:
    """A database of ShinkaEvolve."""
    _import(lambda _: read_database(file), _nobodys_profile(), wish)


def read_database(file: Path) -> Archive:
    """All programs of a database of ShinkaEvolve. Raises `ArchiveError`."""
    return shinka.archive_of(file, read_programs(file, most=MAX_ENTRIES, largest=MAX_PROGRAM_BYTES))


def _nobodys_profile() -> Profile:
    return load_profile(_PUBLISHED).model_copy(update={"name": "imported"})


def _import(read: Callable[[Tick], Archive], profile: Profile, wish: ArchiveWish) -> None:
    """Read and check all of it, then store it at once: nothing is stored where anything is wrong."""
    folder = options.settings(wish.state).state
    with _Bars(is_silent=wish.as_json) as bars:
        archive = read(bars.tick)
        with opened_for_import(folder) as store:
            is_old = is_there(store.campaign(), archive.origin, folder)
            if not is_old:
                campaign = campaign_of(archive, profile, version=__version__, now=CLOCK.now())
                total = len(archive.entries)
                with store.together():
                    write(store, archive, campaign, lambda done: bars.tick("storing", done, total))
            summary = _summary(store, archive, folder, is_old=is_old)
    if wish.as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(summary, indent=2), markup=False)
    else:
        _print(summary)


class _Bars:
    """A bar for each thing that takes a while."""

    def __init__(self, *, is_silent: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), disable=is_silent, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tick(self, what: str, done: int, total: int) -> None:
        """So much of it is done."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done)


def _summary(store: Store, archive: Archive, folder: Path, *, is_old: bool) -> dict[str, Any]:
    best = next(iter(store.pool(1, archive.entries[-1].number + 1)), None)
    return {
        "state": str(folder),
        "imported": 0 if is_old else len(archive.entries),
        "already_there": len(archive.entries) if is_old else 0,
        "origin": archive.origin.model_dump(mode="json"),
        "lineage": shape_of(Lineage(store.summaries()))._asdict(),
        "best": {"index": best.index, "name": best.name, "score": best.fitness} if best else None,
        "notes": list(archive.notes),
    }


def _print(summary: dict[str, Any]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    state, best = summary["state"], summary["best"]
    if summary["already_there"]:
        console.print(f"Already there: {summary['origin']['title']} in {state}; nothing was changed", markup=False)
    else:
        console.print(f"Imported into {state}: {summary['origin']['title']}", markup=False)
    console.print(f"Lineage: {shape_text(summary['lineage'])}", markup=False)
    top = f"#{best['index']} {best['name']}, {number(best['score'])}" if best else "none has a score"
    console.print(f"Best by score: {top}", markup=False)
    for note in summary["notes"]:
        console.print(f"Note: {note}", markup=False)
    console.print(
        f"It can be read and not continued: asi-arch status --state {state} (then best, tree, show)", markup=False
    )
