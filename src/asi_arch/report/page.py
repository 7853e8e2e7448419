"""One self-contained page about a campaign: opens anywhere, loads nothing, and says what it does not know."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.errors import UserError
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.ports import Store
from asi_arch.report.digest import digest
from asi_arch.report.findings import subject
from asi_arch.report.tables import comparison_table


class ReportFiles(NamedTuple):
    """What was written."""

    page: Path
    figures: tuple[Path, ...]


def write_report(store: Store, folder: Path, *, clock: Callable[[], float]) -> ReportFiles:
    """Write `folder`/index.html with everything in it, and each figure beside it as PNG.

    `clock` returns Unix time, for the line that says when the page was written. Files are written beside and renamed,
    so that a page is whole or not there. Raises `StoreError` for a store without a campaign and `UserError` where the
    folder can't be written.
    """
    from asi_arch.report.content import Chosen, render
    from asi_arch.report.pictures import draw

    campaign, table = digest(store), comparison_table(store)
    _make(folder)
    index = subject(campaign)
    experiment = _load(store, index)
    chosen = Chosen(experiment, _load(store, experiment.proposal.parent)) if experiment else None
    pictures = draw(campaign, table, store, index)
    page = render(campaign, table, pictures, chosen=chosen, at=clock())
    figures = tuple(_write(folder / f"{picture.name}.png", picture.png) for picture in pictures)
    return ReportFiles(_write(folder / "index.html", page.encode()), figures)


def _load(store: Store, index: int | None) -> Experiment | None:
    return None if index is None else store.experiment(index)


def _make(folder: Path) -> None:
    """Before anything is drawn, so that a wrong folder is told at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _write(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    return path


def _unwritable(folder: Path, error: OSError) -> UserError:
    reason = f"{error.strerror or error}; choose another folder with --out"
    return UserError(f"the report can't be written to {folder}: {reason}")
