"""`report`: the page with its figures, tables and account."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from asi_arch.cli import options
from asi_arch.domain.errors import UserError
from asi_arch.folders import opened_store
from asi_arch.report.page import FIGURE_FORMATS, TABLE_FORMATS, Formats, ReportFiles, write_report
from asi_arch.report.words import plural
from asi_arch.store.exchanges import spent_in

_WORKERS = 4
"""More processes than that take longer to start than figures to draw."""


def report(out: Path | None, state: Path | None, *, figures: str, tables: str, as_json: bool) -> None:
    """Write it all, saying on stderr what is being drawn."""
    formats = Formats(
        figures=chosen(figures, FIGURE_FORMATS, "--figures"), tables=chosen(tables, TABLE_FORMATS, "--tables")
    )
    folder = options.settings(state).state
    console = Console(stderr=True)
    with opened_store(folder, read_only=True) as store, console.status("Reading ...") as status:
        files = write_report(
            store,
            out or folder / "report",
            clock=time.time,
            formats=formats,
            charge=spent_in(folder),
            tick=lambda step: status.update(f"Drawing: {step} ..."),
            workers=min(_WORKERS, os.cpu_count() or 1),
        )
    if as_json:
        Console(soft_wrap=True).print(json.dumps(_data(files), indent=2), markup=False, highlight=False)
    else:
        Console(soft_wrap=True).print(_text(files), markup=False, highlight=False)


def chosen(text: str, known: Sequence[str], option: str) -> tuple[str, ...]:
    """'pdf,svg' as formats; none for 'none'."""
    names = [name.strip().lower() for name in text.split(",")]
    if names == ["none"]:
        return ()
    if unknown := [name for name in names if name not in known]:
        wrong = ", ".join(repr(name) for name in unknown)
        raise UserError(f"{option} takes {', '.join(known)} with commas between them, or 'none'; got {wrong}")
    return tuple(dict.fromkeys(names))


def _data(files: ReportFiles) -> dict[str, object]:
    return {
        "page": str(files.page),
        "figures": [str(path) for path in files.figures],
        "tables": [str(path) for path in files.tables],
        "account": str(files.account),
    }


def _text(files: ReportFiles) -> str:
    beside = [f"{files.account.name}"]
    if files.figures:
        names = {path.stem for path in files.figures}
        beside.append(f"{plural(len(names), 'figure')} as {_kinds(files.figures)} in {files.figures[0].parent.name}/")
    if files.tables:
        names = {path.stem for path in files.tables}
        beside.append(f"{plural(len(names), 'table')} as {_kinds(files.tables)} in {files.tables[0].parent.name}/")
    return f"Written: {files.page}\nBeside it: {'; '.join(beside)}"


def _kinds(paths: Sequence[Path]) -> str:
    return ", ".join(dict.fromkeys(path.suffix[1:] for path in paths))
