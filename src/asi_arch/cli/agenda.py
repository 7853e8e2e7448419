"""`asi-arch agenda`: what a campaign has learnt about itself, and taking it back."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from asi_arch.cli import options
from asi_arch.domain.agenda import STATISTICS, Standing, in_force, standings
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.errors import UserError
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.report.plain import agenda_data
from asi_arch.report.words import duration

_SHOWN_WEIGHTS = 8
"""The furthest from 1; `--json` has all."""


def show(state: Path | None, as_json: bool) -> None:
    """All agendas, oldest first."""
    folder = options.settings(state).state
    with opened_store(folder, read_only=True) as store:
        reflects = existing_campaign(store, folder).profile.reflects
        found = standings(store.events())
    if as_json:
        _print(json.dumps({"reflects": reflects, "agendas": _listed(found)}, indent=2))
    elif not found:
        _print(
            "No agenda yet: one is written when the first batch is finished."
            if reflects
            else "This campaign does not reflect. A new one does: asi-arch run --reflect --state FOLDER"
        )
    else:
        now = in_force(found)
        for standing in found:
            _print_agenda(standing, is_in_force=standing.agenda == now, now=time.time())


def rollback(snapshot: int, state: Path | None, as_json: bool) -> None:
    """Append the event that takes an agenda back. Raises `StoreLocked` while a controller runs in the folder."""
    folder = options.settings(state).state
    with opened_store(folder, read_only=True) as store:
        existing_campaign(store, folder)
        _require(standings(store.events()), snapshot)
    with opened_store(folder, read_only=False) as store:
        _require(standings(store.events()), snapshot)
        store.append(EventKind.ROLLED_BACK, None, {"snapshot": snapshot})
        now = in_force(standings(store.events()))
    if as_json:
        _print(json.dumps({"rolled_back": snapshot, "in_force": agenda_data(now)}, indent=2))
    else:
        after = "no agenda is in force" if now is None else f"the agenda from #{now.snapshot} on is in force"
        _print(f"Rolled back the agenda from #{snapshot} on; {after} for new proposals.")


def _require(known: Sequence[Standing], snapshot: int) -> None:
    """Raises `UserError` where there is no such agenda, or it is rolled back already."""
    found = next((standing for standing in known if standing.agenda.snapshot == snapshot), None)
    if found is None:
        there = ", ".join(str(s.agenda.snapshot) for s in known)
        told = f"there are {there}" if known else "this campaign has none"
        raise UserError(f"no agenda {snapshot}: {told}; see asi-arch agenda")
    if not found.is_valid:
        raise UserError(f"the agenda {snapshot} is rolled back already")


def _listed(known: Sequence[Standing]) -> list[dict[str, Any]]:
    now = in_force(known)
    return [
        {
            **(agenda_data(standing.agenda) or {}),
            "made_at": standing.made_at,
            "rolled_back_at": standing.rolled_back_at,
            "is_in_force": now is not None and standing.agenda.snapshot == now.snapshot,
            "findings": standing.agenda.findings.model_dump(mode="json"),
        }
        for standing in known
    ]


def _print_agenda(standing: Standing, *, is_in_force: bool, now: float) -> None:
    agenda = standing.agenda
    state = "in force" if is_in_force else "over" if standing.is_valid else "rolled back"
    by = "from the statistics" if agenda.author == STATISTICS else "by a model"
    console = Console()
    head = f"{agenda.snapshot}  {state}; written {by} {duration(max(0.0, now - standing.made_at))} ago"
    console.print(Text(head, style="bold" if is_in_force else ""))
    for sentence in agenda.sentences:
        printable = "".join(letter for letter in sentence if letter.isprintable())
        console.print(Text(f"    {printable}"))
    weights = sorted(agenda.weights.items(), key=lambda pair: (-abs(pair[1] - 1), pair[0]))
    if weights:
        told = ", ".join(f"{key} x{weight:g}" for key, weight in weights[:_SHOWN_WEIGHTS])
        more = f" and {len(weights) - _SHOWN_WEIGHTS} more" if len(weights) > _SHOWN_WEIGHTS else ""
        console.print(Text(f"    drawn more or less often: {told}{more}"))


def _print(text: str) -> None:
    Console(soft_wrap=True).print(text, markup=False, highlight=False)
