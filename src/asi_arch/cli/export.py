"""`asi-arch export`: a trained design as a folder of its own."""

import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from asi_arch import __version__
from asi_arch.cli import options
from asi_arch.cognition.corpus import load_corpus
from asi_arch.domain.candidate import Proposal
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.report.export.folder import MANIFEST, Files, export_files, require_place, write_export
from asi_arch.report.export.subject import Source, Subject, subject
from asi_arch.settings import Settings
from asi_arch.trained import tokenizer_model, trained_model


class ExportWish(NamedTuple):
    """The command's options as typed."""

    which: str
    folder: Path
    seed: int | None
    is_forced: bool
    state: Path | None
    as_json: bool


def export(wish: ExportWish) -> None:
    """Write the folder and say what is in it."""
    settings, folder = options.settings(wish.state), wish.folder.expanduser().absolute()
    require_place(folder, is_forced=wish.is_forced)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status("Exporting ..."):
        found = _subject(wish, settings)
        files = export_files(found)
        write_export(folder, files, is_forced=wish.is_forced)
    _say(found, folder, files, as_json=wish.as_json)


def _subject(wish: ExportWish, settings: Settings) -> Subject:
    with opened_store(settings.state, read_only=True) as store:
        campaign = existing_campaign(store, settings.state)
        model = trained_model(store, campaign, options.find(store, wish.which).index, wish.seed)
        return subject(
            store,
            campaign,
            model.experiment,
            model.run,
            tokenizer=tokenizer_model(campaign, settings.cache),
            papers=_papers(model.experiment.proposal, settings),
            version=__version__,
        )


def _papers(proposal: Proposal, settings: Settings) -> tuple[Source, ...]:
    """The papers of the passages that the design's author was given."""
    if not proposal.passages:
        return ()
    names = {paper.arxiv: paper.name for paper in load_corpus(settings.papers).papers}
    wanted = dict.fromkeys(passage.rpartition("-")[0] for passage in proposal.passages)
    return tuple(Source(arxiv, names.get(arxiv, "")) for arxiv in wanted)


def _say(found: Subject, folder: Path, files: Files, *, as_json: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    proposal = found.experiment.proposal
    if as_json:
        origin = json.loads(files[MANIFEST])
        sizes = {name: len(content) for name, content in sorted(files.items())}
        summary = {"folder": str(folder), "is_verified": found.verdict is not None, **origin, "bytes": sizes}
        console.print(json.dumps(summary, indent=2), markup=False)
        return
    title = f"#{found.experiment.index} {proposal.name}, weights of seed {found.run.key.seed}"
    console.print(f"Exported {title}: {folder}", markup=False)
    for name, content in files.items():
        console.print(f"  {name:<28} {len(content):>10,} bytes", markup=False)
    console.print(f"Try it: cd {folder} && python -m pytest tests", markup=False)
