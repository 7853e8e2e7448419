"""`asi-arch run --estimate`: what the options are expected to cost, before anything is made or started."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from asi_arch.cli.mind_costs import BOUND, Ahead, RoleCost, recorded_in, role_costs
from asi_arch.domain.campaign import Campaign
from asi_arch.domain.errors import ProfileError
from asi_arch.domain.exchanges import Charge
from asi_arch.domain.profile import Profile
from asi_arch.engine.expected import (
    Bounds,
    Figure,
    Standing,
    Work,
    figure_of,
    figure_on_record,
    invented,
    standing_of,
    wall_each_s,
    work_of,
)
from asi_arch.engine.repairing import MAX_REPAIRS
from asi_arch.folders import opened_store, require_own
from asi_arch.llm.asking import REASKS
from asi_arch.llm.plan import Limits
from asi_arch.report.words import duration, plural
from asi_arch.settings import Settings, load_profile
from asi_arch.store.exchanges import spent_in
from asi_arch.wishes import Wish, asked_profile

__all__ = ["Bounds", "show"]

_CAMPAIGN: Final = "campaign.sqlite3"
_HERE, _ON_RECORD = "stored here", "on record"


class History(NamedTuple):
    """What a state folder holds."""

    campaign: Campaign | None = None
    figure: Figure | None = None
    standing: Standing = Standing()
    invented: int = 0


class Estimate(NamedTuple):
    """All that is told."""

    profile: Profile
    workers: int
    figure: Figure | None
    basis: str
    """Where the figure is from; empty without one."""
    standing: Standing
    work: Work
    roles: list[RoleCost]
    is_each: bool
    """Whether the roles' cost is of one invention and one agenda, because the number of experiments is open."""


def show(settings: Settings, asked: Wish, bounds: Bounds, *, as_json: bool) -> None:
    """Print it; nothing is made, started or asked. Raises what `run` would raise for a folder of another campaign."""
    found = estimated(settings, asked, bounds)
    budgets, spent = _budgets(settings), spent_in(settings.state)
    if as_json:
        data = {**payload(found), "budgets": budgets, "spent_on_minds": spent and spent._asdict()}
        Console(soft_wrap=True).print(json.dumps(data, indent=2), markup=False, highlight=False)
        return
    console = Console(highlight=False)
    for line in lines(found, bounds):
        console.print(line, markup=False, soft_wrap=True)
    if found.roles:
        console.print(_table(found.roles))
        for line in _on_minds(found, budgets, spent):
            console.print(line, markup=False, soft_wrap=True)
    console.print("Nothing was made or started; the same command without --estimate runs.", markup=False)


def estimated(settings: Settings, asked: Wish, bounds: Bounds) -> Estimate:
    """From the state folder's own experiments where it has some of this protocol, else from a figure on record."""
    history = _history(settings.state)
    profile = asked_profile(asked, history.campaign, settings.state)
    figure, basis = history.figure, _HERE
    if figure is None:
        figure, basis = _on_record(profile), _ON_RECORD
    work = work_of(profile, figure, bounds, history.standing, settings.workers)
    is_each = work.inventions is None
    ahead = Ahead(1, int(profile.reflects)) if work.inventions is None else Ahead(work.inventions, work.agendas or 0)
    roles = role_costs(settings.minds, profile, ahead, recorded_in(settings.state), history.invented)
    told = basis if figure else ""
    return Estimate(profile, settings.workers, figure, told, history.standing, work, roles, is_each)


def payload(found: Estimate) -> dict[str, Any]:
    """As plain data; what is not known is None."""
    figure = found.figure
    each = wall_each_s(figure, found.profile, found.workers) if figure else None
    return {
        "profile": found.profile.name,
        "workers": found.workers,
        "finished": found.standing.done,
        "each": {"basis": found.basis or None, "cpu_s": figure and figure.cpu_s, "wall_s": each},
        "to_come": found.work._asdict(),
        "minds": [_plain(role) for role in found.roles],
        "minds_are_for_one_invention": found.is_each,
    }


def _plain(role: RoleCost) -> dict[str, Any]:
    ranges = {"calls": role.calls, "tokens": role.tokens, "usd": role.usd}
    return {**role._asdict(), **{name: value and value._asdict() for name, value in ranges.items()}}


def lines(found: Estimate, bounds: Bounds) -> Iterator[str]:
    """Experiments and time, in sentences."""
    figure, work, workers = found.figure, found.work, found.workers
    if found.standing.done:
        yield f"{plural(found.standing.done, 'experiment')} finished, {duration(found.standing.cpu_s)} of CPU time."
    if figure is None:
        yield f"What an experiment of the profile '{found.profile.name}' costs is not known: none is stored here."
        yield "Run two or three (-n 3) and ask again."
    else:
        wall = duration(wall_each_s(figure, found.profile, workers))
        times = f"{duration(figure.cpu_s)} of CPU time, {wall} of wall time with {plural(workers, 'worker')}"
        yield f"One experiment: {times} ({_source(found, figure)})."
    if work.experiments is None:
        yield "No limit says how many there will be: give -n, --time or --compute, or end it with Ctrl-C."
        return
    yield f"To come: {plural(work.experiments, 'experiment')}, {work.inventions} of them to be invented."
    if work.cpu_s is not None and work.wall_s is not None:
        yield f"Expected: {duration(work.cpu_s)} of CPU time, {duration(work.wall_s)} of wall time."
    if bounds.wall_s is not None or bounds.compute_s is not None:
        yield "After a limit of time nothing new is taken up; what is in training is finished."


def _source(found: Estimate, figure: Figure) -> str:
    count = plural(figure.experiments, "experiment")
    if found.basis == _HERE:
        return f"the mean of {count} of the same protocol in this folder, with the workers of that time"
    return f"on record from a campaign of {count}, on two cores that other work shared; wall time as on free cores"


def _table(roles: list[RoleCost]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("role", "mind", "calls", "tokens", "USD", "from"):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("calls", "tokens", "USD") else "left")
    for role in roles:
        table.add_row(role.role, role.mind, *_amounts(role), role.basis)
    return table


def _amounts(role: RoleCost) -> tuple[str, str, str]:
    """Calls, tokens and money, from low to high."""
    calls = "not known" if role.calls is None else _range(*map(str, role.calls))
    if role.tokens is None:
        return calls, "not known", "not known"
    usd = "price not known" if role.usd is None else _range(f"{role.usd.low:.2f}", f"{role.usd.high:.2f}")
    return calls, _range(*map(str, role.tokens)), usd


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _on_minds(found: Estimate, budgets: dict[str, Any], spent: Charge | None) -> Iterator[str]:
    if found.is_each:
        yield "Minds: for one invention, and one agenda where the campaign reflects."
    if any(role.basis == BOUND for role in found.roles):
        yield (
            "Bounds: a usual prompt at two bytes a token and each reply at its limit. Low: every answer is usable at"
            f" once, no program fails or is doubted. High: every question is asked {REASKS + 1} times, every program"
            f" mended {MAX_REPAIRS} times, and doubted where a checker reads it."
        )
    if spent is not None:
        yield f"Spent here so far: {plural(spent.calls, 'call')}, {spent.tokens} tokens, {spent.usd or 0.0:.4f} USD."
    for scope, limits in budgets.items():
        told = ", ".join(f"{value:g} {unit}" for unit, value in limits.items())
        yield f"Budget of a {scope}: {told}. A call that would exceed it is not made."
    if not budgets:
        yield "No budget limits the minds; set one in the settings under [minds.budgets]."


def _budgets(settings: Settings) -> dict[str, Any]:
    """Those that limit something."""
    budgets = settings.minds.budgets
    scopes: dict[str, Limits] = {
        "call": budgets.call,
        "subject": budgets.subject,
        "day": budgets.day,
        "campaign": budgets.campaign,
    }
    found = {name: limits.model_dump(exclude_none=True) for name, limits in scopes.items()}
    return {name: limits for name, limits in found.items() if limits}


def _history(folder: Path) -> History:
    """Nothing for a folder that is not there, or holds no campaign. Raises `StoreError` for an imported one."""
    if not (folder / _CAMPAIGN).is_file():
        return History()
    with opened_store(folder, read_only=True) as store:
        campaign = store.campaign()
        if campaign is None:
            return History()
        require_own(campaign, folder)
        return History(
            campaign=campaign,
            figure=figure_of(store.experiments(), campaign.protocol),
            standing=standing_of(store.experiments(), store.proposals()),
            invented=invented(store.experiments()),
        )


def _on_record(profile: Profile) -> Figure | None:
    try:
        shipped = load_profile(profile.name)
    except ProfileError:
        return None
    return figure_on_record(profile, shipped)
