"""One self-contained page about a campaign: opens anywhere, loads nothing, and says what it does not know."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.errors import UserError
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
    index = subject(campaign)
    experiment = None if index is None else store.experiment(index)
    parent = None if experiment is None or experiment.proposal.parent is None else experiment.proposal.parent
    chosen = Chosen(experiment, None if parent is None else store.experiment(parent)) if experiment else None
    pictures = draw(campaign, table, store, index)
    page = render(campaign, table, pictures, chosen=chosen, at=clock())
    figures = tuple(_write(folder / f"{picture.name}.png", picture.png) for picture in pictures)
    return ReportFiles(_write(folder / "index.html", page.encode()), figures)


def _write(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        reason = f"{error.strerror or error}; choose another folder with --out"
        raise UserError(f"the report can't be written to {path.parent}: {reason}") from error
    return path
