"""`asi-arch cognition`: search, show, check and extend the base of papers."""

import asyncio
import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from asi_arch.cognition.consistency import inspect, refuse_duplicate
from asi_arch.cognition.corpus import PACKAGED, PARTS, load_corpus, read_paper, save_paper
from asi_arch.cognition.findings import load_findings
from asi_arch.cognition.reading import SUFFIXES, Document, read_document
from asi_arch.domain.cognition import Entry, Paper, Passage
from asi_arch.domain.errors import PaperError, UserError
from asi_arch.domain.minds import Mind, Role
from asi_arch.llm.lines import parsed
from asi_arch.papers import Reporting, open_library
from asi_arch.settings import Settings, load_settings

SOUND, UNSOUND = 0, 1


def search(text: str, count: int, *, as_json: bool) -> None:
    """Print the passages that fit, best first."""
    with encoding_bar() as reporting:
        passages = open_library(load_settings(), reporting).near(text, count)
    if as_json:
        _print_json([_payload(passage) for passage in passages])
        return
    if not passages:
        _console().print("Nothing in the base has a word in common with that.")
    for place, passage in enumerate(passages, start=1):
        _print_passage(place, passage)


@contextmanager
def encoding_bar() -> Generator[Reporting]:
    """A bar while entries are encoded for the first time; sentences and bar go to stderr."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("encoding entries, once", total=None, visible=False)

        def say(sentence: str) -> None:
            console.print(sentence, markup=False)

        def on_progress(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total, visible=done < total)

        yield Reporting(say, on_progress)


def show(which: str | None, *, as_json: bool) -> None:
    """A paper by arXiv id, name or the id of an entry; without one, a line for every paper."""
    papers = load_corpus(load_settings().papers).papers
    if which is None:
        _show_all(papers, as_json=as_json)
        return
    paper = _found(papers, which)
    if as_json:
        _print_json(paper.model_dump(mode="json"))
    else:
        _print_paper(paper)


def check(*, as_json: bool) -> int:
    """Inspect the papers that ship, the user's own and the test set; returns the exit code."""
    own = load_settings().papers
    found = inspect((PACKAGED, own), load_findings())
    summary: dict[str, Any] = {
        "papers": len(found.papers),
        "entries": found.entries,
        "own_folder": str(own),
        "complaints": list(found.complaints),
    }
    if as_json:
        _print_json(summary)
    else:
        console = _console()
        for complaint in found.complaints:
            console.print(complaint, markup=False, style="red")
        verdict = f"{len(found.complaints)} complaints" if found.complaints else "all sound"
        console.print(f"{len(found.papers)} papers, {found.entries} entries: {verdict}", markup=False)
    return UNSOUND if found.complaints else SOUND


class AddWish(NamedTuple):
    """The command's arguments as typed, and how the user is asked."""

    file: Path
    is_agreed: bool
    confirm: Callable[[str], bool]
    mind: str | None = None
    """Who reads a paper; None for the one of the settings."""


def add(wish: AddWish, mind: Mind | None = None) -> None:
    """Show what a file brings, ask, and store it with the user's papers. Raises `UserError` for what can't be added.

    A TOML file of entries is taken as it is; from a paper, entries are extracted by `mind`, by default the one that
    the command or the settings name. What is said to it is recorded in the folder of the user's papers.
    """
    settings = load_settings()
    if wish.mind is not None:
        parsed(wish.mind, settings.minds)
        roles = {role: spec for role, spec in settings.minds.roles.items() if role is not Role.EXTRACTOR}
        plan = settings.minds.model_copy(update={"default": wish.mind, "roles": roles})
        settings = settings.model_copy(update={"minds": plan})
    there = load_corpus(settings.papers).papers
    paper = (
        read_paper(wish.file) if wish.file.suffix.lower() == ".toml" else _extracted(wish.file, there, mind, settings)
    )
    refuse_duplicate(paper, there)
    _print_paper(paper)
    count = f"{len(paper.entries)} entries" if len(paper.entries) > 1 else "1 entry"
    if not wish.is_agreed and not wish.confirm(f"Add {paper.arxiv} with {count} to your papers?"):
        _console().print("Nothing was added.")
        return
    path = save_paper(paper, settings.papers)
    _console().print(f"Added: {path}", markup=False)


def confirmed(question: str) -> bool:
    """Ask on the terminal. Raises `UserError` where nobody is there to answer."""
    if not sys.stdin.isatty():
        raise UserError("adding must be confirmed, and there is no terminal to ask on; give --yes")
    return typer.confirm(question)


def _extracted(file: Path, there: Sequence[Paper], mind: Mind | None, settings: Settings) -> Paper:
    if mind is None and not settings.minds.specs(Role.EXTRACTOR):
        kinds = ", ".join(SUFFIXES)
        raise UserError(
            f"{file}: entries are written from {kinds} files by a language model, and none is named; name one with"
            " --mind (see `asi-arch minds`), or write the entries into a .toml file yourself"
            " (`asi-arch cognition show 2406.06484` shows the parts)"
        )
    document = read_document(file)
    if any(paper.arxiv == document.arxiv for paper in there):
        raise PaperError(f"{file} is {document.arxiv}, which is in the base already")
    if document.is_cut:
        _console(to_stderr=True).print(f"{file} is long: only its first {len(document.text):,} characters are read")
    with _console(to_stderr=True).status(f"reading {file}"):
        return asyncio.run(_asked(mind, document, settings))


async def _asked(mind: Mind | None, document: Document, settings: Settings) -> Paper:
    # A search needs neither, and they take half a second to load.
    from asi_arch.agents.minds.extractor import extract
    from asi_arch.minds import opened_minds

    if mind is not None:
        return await extract(mind, document)

    def warn(text: str) -> None:
        _console(to_stderr=True).print(text, markup=False)

    async with opened_minds(settings.minds, settings.papers, warn=warn) as minds:
        return await extract(minds, document)


def _found(papers: Sequence[Paper], which: str) -> Paper:
    wanted = which.lower().removeprefix("arxiv:")
    for paper in papers:
        if wanted in (paper.arxiv, paper.name.lower(), *(entry.id for entry in paper.entries)):
            return paper
    raise UserError(f"no paper {which!r} in the base; `asi-arch cognition show` lists all {len(papers)}")


def _payload(passage: Passage) -> dict[str, Any]:
    """One flat object: the paper's arXiv id and name, the entry's id and parts, the score."""
    dumped = passage.model_dump(mode="json")
    entry = dumped.pop("entry")
    return {**dumped, "id": entry.pop("id"), **entry}


def _show_all(papers: Sequence[Paper], *, as_json: bool) -> None:
    if as_json:
        about = [paper.model_dump(mode="json", exclude={"entries"}) for paper in papers]
        _print_json([{**one, "entries": len(paper.entries)} for one, paper in zip(about, papers, strict=True)])
        return
    console = _console()
    for theme in dict.fromkeys(paper.theme for paper in papers):
        console.print(f"\n[bold]{theme.value}[/bold]")
        for paper in papers:
            if paper.theme is theme:
                console.print(f"  {paper.arxiv:12} {paper.year}  {paper.name}", markup=False)


def _print_passage(place: int, passage: Passage) -> None:
    console = _console()
    console.print(f"[bold]{place}.[/bold]", end=" ")
    console.print(f"{passage.paper} ({passage.year}, {passage.arxiv})", markup=False, style="bold", end=" ")
    console.print(f"{passage.theme.value}, score {passage.score:.3f}", markup=False, style="dim")
    _print_entry(passage.entry)


def _print_paper(paper: Paper) -> None:
    console = _console()
    console.print(f"{paper.name} ({paper.year}, {paper.arxiv})", markup=False, style="bold", end=" ")
    console.print(paper.theme.value, markup=False, style="dim")
    for entry in paper.entries:
        _print_entry(entry)


def _print_entry(entry: Entry) -> None:
    console = _console()
    console.print(entry.id, markup=False, style="dim")
    for part in PARTS:
        console.print(f"  {part}", style="cyan")
        for line in getattr(entry, part).splitlines():
            console.print(f"    {line}", markup=False)
    console.print()


def _console(*, to_stderr: bool = False) -> Console:
    return Console(stderr=to_stderr, highlight=False, soft_wrap=True)


def _print_json(value: object) -> None:
    _console().print(json.dumps(value, indent=2), markup=False)
