"""`asi-arch ablate`: what each mechanism of a design is worth."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from asi_arch.app import opened_bench
from asi_arch.cli import options
from asi_arch.cli.calibration import cost_text
from asi_arch.cli.second_look import Bars
from asi_arch.domain.ablation import Ablation
from asi_arch.engine.ablate import Plan, ablate, plan
from asi_arch.engine.calibrate import estimate
from asi_arch.folders import existing_campaign, opened_store, require_own
from asi_arch.report.words import MISSING
from asi_arch.report.worth import ablation_data
from asi_arch.wishes import Wish


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
    """The experiment's number, and what is taken out of its design."""

    number: int
    plan: Plan


def run(wish: AblateWish) -> None:
    """Take a design apart and print what each mechanism is worth."""
    data = ablation_data(asyncio.run(_ablated(wish)))
    if wish.as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(data, indent=2), markup=False)
    else:
        print_worth(data, Console())


def _chosen(wish: AblateWish, folder: Path) -> _Chosen:
    """Looked up before the lab is opened, which takes seconds."""
    with opened_store(folder, read_only=True) as store:
        require_own(existing_campaign(store, folder), folder)
        number = options.find(store, wish.which).index
        proposals = store.proposals()
    whole = proposals[number]
    parent = None if whole.parent is None else proposals[whole.parent]
    return _Chosen(
        number, plan(whole, parent, seeds=wish.seeds, mechanisms=wish.mechanisms, everything=wish.everything)
    )


async def _ablated(wish: AblateWish) -> Ablation:
    settings = options.settings(wish.state, wish.workers)
    chosen = _chosen(wish, settings.state)
    whole, rests, trainings = chosen.plan.whole, chosen.plan.rests, chosen.plan.trainings
    async with opened_bench(settings.state, Wish(), settings, listen=options.tell, must_exist=True) as bench:
        cost = cost_text(estimate(bench, trainings, whole), settings.workers, whole.name)
        told = f"{whole.name} with and without {', '.join(rest.mechanism for rest in rests)}: {cost}"
        Console(stderr=True, highlight=False, soft_wrap=True).print(told, markup=False)
        with Bars(trainings, is_silent=wish.as_json) as bars:
            return await ablate(bench, chosen.plan, index=chosen.number, tick=bars.tick)


def print_worth(data: dict[str, Any], console: Console) -> None:
    """A row for each mechanism, and how to read it."""
    table = Table("without", "language loss", "recall accuracy", "operations", title="What each part is worth")
    table.add_column("the design", min_width=len("distinguishable"))
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
