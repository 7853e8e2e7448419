"""`asi-arch provenance`: what designs are made of, where that comes from, and the table of it."""

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from asi_arch.cli import options
from asi_arch.domain.errors import UserError
from asi_arch.domain.minds import Role
from asi_arch.domain.ports import Store
from asi_arch.domain.provenance import Origin, Provenance, provenances
from asi_arch.engine.tracing import traceable
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.llm.lines import parsed
from asi_arch.llm.plan import MindPlan
from asi_arch.provenance import asked, opened_tracing
from asi_arch.report.cells import printable
from asi_arch.report.digest import digest
from asi_arch.report.origins import Origins, note, origins, origins_data, share_text
from asi_arch.report.words import MISSING
from asi_arch.settings import Settings

_SHOWN = 20
"""Experiments in the first table; `--json` has all."""


class ProvenanceWish(NamedTuple):
    """The command's options as typed."""

    which: tuple[str, ...]
    best: int | None
    everything: bool
    mind: str | None
    state: Path | None
    as_json: bool


class _Done(NamedTuple):
    """What came of it."""

    chosen: list[int]
    found: int
    """Of the chosen: how many were not known before, or better known now."""


def provenance(wish: ProvenanceWish) -> None:
    """Find out what is missing for the chosen experiments, and show it; without a choice, show what is stored.

    Raises `UserError` for a wrong choice and `StoreLocked` while a controller runs in the folder.
    """
    settings = options.settings(wish.state)
    if sum((bool(wish.which), wish.best is not None, wish.everything)) > 1:
        raise UserError("give either numbers of experiments, or --best N, or --all")
    is_choice = bool(wish.which) or wish.best is not None or wish.everything
    if wish.mind and not is_choice:
        raise UserError("--mind needs to know about which experiments to ask: give their numbers, --best N or --all")
    plan = asked(settings.minds, str(parsed(wish.mind, settings.minds)) if wish.mind else None)
    with opened_store(settings.state, read_only=True) as store:
        existing_campaign(store, settings.state)
        chosen = _chosen(store, wish) if is_choice else sorted(provenances(store.events()))
    done = asyncio.run(_traced(settings, plan, chosen, is_quiet=wish.as_json)) if is_choice else _Done(chosen, 0)
    with opened_store(settings.state, read_only=True) as store:
        _show(store, done, plan, is_json=wish.as_json)


def _chosen(store: Store, wish: ProvenanceWish) -> list[int]:
    there = traceable(store)
    if wish.everything:
        return there
    if wish.best is not None:
        scored = [s for s in store.summaries() if s.index in there and s.fitness is not None]
        scored.sort(key=lambda s: (-(s.fitness or 0.0), s.index))
        if not scored:
            raise UserError("no invention has a fitness yet; `asi-arch status` says how far the campaign is")
        return [s.index for s in scored[: wish.best]]
    found = [options.find(store, which) for which in wish.which]
    if baseline := next((s for s in found if s.index not in there), None):
        raise UserError(f"#{baseline.index} {baseline.name} is a baseline: it was given, not proposed; choose another")
    return sorted({s.index for s in found})


async def _traced(settings: Settings, plan: MindPlan, chosen: list[int], *, is_quiet: bool) -> _Done:
    """Each answer is stored before the next question, so that nothing is lost when this is stopped."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with opened_store(settings.state, read_only=False) as store:
        bars = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=is_quiet)

        def say(text: str) -> None:
            console.print(printable(text), markup=False)

        async with opened_tracing(store, settings.state, settings, plan, say) as tracing:
            due = tracing.due(chosen)
            with bars:
                for index in bars.track(due, description="tracing ideas"):
                    await tracing.trace(index)
    return _Done(chosen, len(due))


def _show(store: Store, done: _Done, plan: MindPlan, *, is_json: bool) -> None:
    known = provenances(store.events())
    table, names = origins(digest(store)), {s.index: s.name for s in store.summaries()}
    shown = [(index, known[index]) for index in done.chosen if index in known]
    if is_json:
        minds = {role.value: plan.roles.get(role) for role in (Role.COMPONENTS, Role.PROVENANCE)}
        experiments = [
            {"index": index, "name": names.get(index, ""), **found.model_dump(mode="json")} for index, found in shown
        ]
        payload = {"experiments": experiments, "found": done.found, "minds": minds}
        _print(json.dumps({**payload, "table": origins_data(table) if table else None}, indent=2))
        return
    if table is None:
        campaign = store.campaign()
        is_own = campaign is not None and campaign.origin is None
        way = "Trace every finished experiment: asi-arch provenance --all"
        _print(
            f"Nothing is traced yet. {way}" if is_own else "Nothing is traced, nor can it be: this campaign is imported"
        )
        return
    console = Console(highlight=False)
    console.print(_experiments(shown[:_SHOWN], names))
    if len(shown) > _SHOWN:
        console.print(f"and {len(shown) - _SHOWN:,} more; one in full: asi-arch show ID", style="dim")
    console.print()
    console.print(_table(table))
    console.print(Text(note(table), style="dim"))


def _experiments(shown: list[tuple[int, Provenance]], names: dict[int, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("#", "name", "elements", *(origin.value for origin in Origin), "named by", "traced by"):
        table.add_column(name, justify="left" if name in ("name", "named by", "traced by") else "right")
    for index, found in shown:
        is_placed = any(element.origin is not None for element in found.elements)
        counts = [str(found.count(origin)) if is_placed else MISSING for origin in Origin]
        by = found.named_by.value, found.traced_by.value if is_placed else "nobody"
        table.add_row(str(index), Text(printable(names.get(index, ""))), str(len(found.elements)), *counts, *by)
    return table


def _table(found: Origins) -> Table:
    """A column for each group, so that it fits a narrow terminal."""
    table = Table(title="Where ideas come from", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *(group.name for group in found.groups)):
        table.add_column(name, justify="right" if name else "left")
    table.add_row("designs", *(str(group.designs) for group in found.groups))
    table.add_row("elements", *(str(group.elements) for group in found.groups))
    for place, origin in enumerate(Origin):
        texts = [
            f"{share_text(g.shares[place])} ({g.shares[place].count})" if g.shares else MISSING for g in found.groups
        ]
        table.add_row(origin.value, *texts)
    return table


def _print(text: str) -> None:
    Console(soft_wrap=True).print(text, markup=False, highlight=False)
