"""`asi-arch ablate`: what each mechanism of a design is worth."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from asi_arch.app import opened_bench
from asi_arch.cli import options
from asi_arch.cli.second_look import Bars
from asi_arch.domain.ablation import Ablation
from asi_arch.domain.experiment import Experiment
from asi_arch.engine.ablate import Plan, ablate, plan
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.report.words import MISSING, duration
from asi_arch.report.worth import ablation_data
from asi_arch.wishes import Wish

_LONGEST_WORD = "distinguishable"


class AblateWish(NamedTuple):
    """The command's options as typed."""

    which: str
    mechanisms: tuple[str, ...]
    everything: bool
    seeds: int
    workers: int | None
    state: Path | None
    as_json: bool


class _Chosen(NamedTuple):
    """What is taken apart, and the CPU time that one of its seeds took in the search; None where it is not known."""

    experiment: Experiment
    wish: Plan
    seed_cpu_s: float | None


def run(wish: AblateWish) -> None:
    """Take a design apart and print what each mechanism is worth."""
    found = asyncio.run(_ablated(wish))
    data = ablation_data(found)
    if wish.as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(data, indent=2), markup=False)
    else:
        print_worth(data, Console())


def _chosen(wish: AblateWish, folder: Path) -> _Chosen:
    """Looked up before the lab is opened, which takes seconds."""
    with opened_store(folder, read_only=True) as store:
        existing_campaign(store, folder)
        experiment = store.experiment(options.find(store, wish.which).index)
        assert experiment is not None, "what was found is finished"
        parent = experiment.proposal.parent
        proposals = store.proposals()
    planned = plan(
        experiment.proposal,
        None if parent is None else proposals[parent],
        seeds=wish.seeds,
        mechanisms=wish.mechanisms,
        everything=wish.everything,
    )
    seeds = {run.key.seed for run in experiment.runs}
    return _Chosen(experiment, planned, sum(run.cpu_s for run in experiment.runs) / len(seeds) if seeds else None)


async def _ablated(wish: AblateWish) -> Ablation:
    settings = options.settings(wish.state, wish.workers)
    chosen = _chosen(wish, settings.state)
    Console(stderr=True, highlight=False, soft_wrap=True).print(cost_text(chosen.wish, chosen.seed_cpu_s), markup=False)
    async with opened_bench(settings.state, Wish(), settings, listen=options.tell, must_exist=True) as bench:
        with Bars(chosen.wish.trainings, is_silent=wish.as_json) as bars:
            return await ablate(bench, chosen.wish, index=chosen.experiment.index, tick=bars.tick)


def cost_text(wish: Plan, seed_cpu_s: float | None) -> str:
    """What is about to be trained, in a sentence; stored trainings are not trained again."""
    designs, seeds = 1 + len(wish.rests), len(wish.seeds)
    text = f"{wish.whole.name} with and without {', '.join(rest.mechanism for rest in wish.rests)}: {designs} designs"
    text += f" with {seeds} seeds of their own"
    return f"{text}, about {duration(seed_cpu_s * designs * seeds)} of CPU time." if seed_cpu_s else f"{text}."


def print_worth(data: dict[str, Any], console: Console) -> None:
    """A row for each mechanism, and how to read it."""
    table = Table("without", "language loss", "recall accuracy", "work", title="What each part is worth")
    table.add_column("the design", min_width=len(_LONGEST_WORD))
    for part in data["parts"]:
        told = [part["differences"].get(quantity, MISSING) for quantity in ("language loss", "recall accuracy")]
        work = MISSING if part["work"] is None else f"{part['work']:.2f}x"
        table.add_row(part["title"], *told, work, part["standing"])
    console.print(table)
    for part in data["parts"]:
        console.print(f"Without {part['title']}: {part['change']}", style="dim", highlight=False, markup=False)
    console.print(
        f"The rest minus the whole, {len(data['seeds'])} seeds in pairs that the search never used, 95% intervals; q is"
        " corrected for all parts. A loss that rises without a part, or recall that falls, speaks for the part.",
        style="dim",
        highlight=False,
        markup=False,
    )
