"""One self-contained page about a campaign: opens anywhere, loads nothing, and says what it does not know."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asi_arch.domain.errors import UserError
from asi_arch.domain.exchanges import Charge
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.ports import Store
from asi_arch.report.digest import digest
from asi_arch.report.findings import subject
from asi_arch.report.tables import comparison_table

if TYPE_CHECKING:  # the page's own modules are loaded where one is written
    from asi_arch.report.best_design import Chosen


FIGURE_FORMATS = ("png", "svg", "pdf")
TABLE_FORMATS = ("csv", "tex")


class ReportFiles(NamedTuple):
    """What was written."""

    page: Path
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]
    account: Path


class Formats(NamedTuple):
    """As what figures and tables are written beside the page; none of either is allowed."""

    figures: tuple[str, ...] = FIGURE_FORMATS
    tables: tuple[str, ...] = TABLE_FORMATS


def write_report(
    store: Store,
    folder: Path,
    *,
    clock: Callable[[], float],
    formats: Formats | None = None,
    charge: Charge | None = None,
    tick: Callable[[str], None] = lambda _: None,
    workers: int = 1,
) -> ReportFiles:
    """Write `folder`/index.html with everything in it, and figures/, tables/ and account.md beside it.

    `clock` returns Unix time, for the line that says when the page was written; `charge` is what minds have cost;
    `tick` hears of every step before it is taken; figures are drawn by so many `workers`. Files are written beside and
    renamed, so that each is whole or not there. Raises `StoreError` for a store without a campaign and `UserError`
    where the folder can't be written.
    """
    from asi_arch.report.account.account import account
    from asi_arch.report.account.markdown import markdown
    from asi_arch.report.content import Material, render
    from asi_arch.report.pictures import draw
    from asi_arch.report.sheets.collection import files, sheets

    formats = formats or Formats()
    tick("experiments")
    campaign, table = digest(store), comparison_table(store)
    for needed in (folder, folder / "figures", folder / "tables"):
        _make(needed)
    index = subject(campaign)
    gallery = draw(campaign, table, store, index, formats=formats.figures, tick=tick, workers=workers)
    tick("tables and text")
    found = sheets(campaign, table, store)
    told = account(campaign, table, found, charge)
    page = render(Material(campaign, table, gallery, found, told, _chosen(store, index)), at=clock())
    figures = {f"{p.name}.{name}": content for p in gallery.pictures for name, content in p.files.items()}
    return ReportFiles(
        page=_write(folder / "index.html", page.encode()),
        figures=_write_all(folder / "figures", figures),
        tables=_write_all(folder / "tables", files(found, formats.tables)),
        account=_write(folder / "account.md", markdown(told).encode()),
    )


def _chosen(store: Store, index: int | None) -> "Chosen | None":
    """The design that the page explains."""
    from asi_arch.report.best_design import Chosen

    experiment = _load(store, index)
    return Chosen(experiment, _load(store, experiment.proposal.parent)) if experiment else None


def _write_all(folder: Path, contents: Mapping[str, bytes]) -> tuple[Path, ...]:
    return tuple(_write(folder / name, content) for name, content in contents.items())


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
