"""`asi-arch inbox`: the questions that wait for a person or a program."""

import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from asi_arch.cli import options
from asi_arch.domain.errors import UserError
from asi_arch.llm import inbox_files
from asi_arch.llm.lines import parsed
from asi_arch.llm.plan import INBOX


def show_all(folder: Path | None, as_json: bool) -> None:
    """A line per question."""
    place = _folder(folder)
    found = inbox_files.waiting(place)
    if as_json:
        _print_json([item._asdict() for item in found])
        return
    if not found:
        Console().print(f"Nothing is asked in {place}.", markup=False)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("name", "asked", "state"):
        table.add_column(heading, overflow="fold")
    for item in found:
        state = "answered, not taken yet" if item.is_answered else "asked again" if item.is_again else "waits"
        table.add_row(item.name, f"{(time.time() - item.asked_at) / 60:.0f} min ago", state)
    Console().print(table)


def show(folder: Path | None, name: str, as_json: bool) -> None:
    """One question's page."""
    page = inbox_files.question(_folder(folder), name)
    if as_json:
        _print_json({"page": page})
    else:
        sys.stdout.write(page)


def answer(folder: Path | None, name: str, file: str, as_json: bool) -> None:
    """Put an answer beside its question."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the answer {file} can't be read as text: {error}") from None
    path = inbox_files.answer(_folder(folder), name, text)
    if as_json:
        _print_json({"answer": str(path)})
    else:
        Console(soft_wrap=True).print(f"Answered: {path}", markup=False, highlight=False)


def _folder(folder: Path | None) -> Path:
    """The folder asked for, or the inbox of the settings."""
    if folder is not None:
        return folder
    plan = options.settings(None).minds
    specs = [parsed(text, plan) for text in plan.all_specs()]
    found = sorted({spec.model for spec in specs if spec.service == INBOX})
    if len(found) != 1:
        there = f"the settings name {len(found)} inboxes" if found else "the settings name no inbox"
        raise UserError(f"{there}; say which with --inbox DIR")
    return Path(found[0]).expanduser()


def _print_json(value: object) -> None:
    Console(soft_wrap=True).print(json.dumps(value, indent=2), markup=False, highlight=False)
