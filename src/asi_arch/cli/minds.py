"""`asi-arch minds`: who answers for which role, what was spent, and whether anybody answers at all."""

import asyncio
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from pydantic import Field
from rich.console import Console
from rich.table import Table

from asi_arch.cli import options
from asi_arch.domain.errors import AsiArchError, UserError
from asi_arch.domain.exchanges import Charge
from asi_arch.domain.minds import Prompt, Question, Role
from asi_arch.domain.record import Record
from asi_arch.ensembles import Standing, standings
from asi_arch.folders import opened_store
from asi_arch.llm.lines import members_of, parsed
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import idea_role, is_asked, opened_minds
from asi_arch.novelty import diversifying
from asi_arch.store.exchanges import FILE, SqliteExchanges, spent_in

ANSWERED, SILENT = 0, 1
_CAMPAIGN = "campaign.sqlite3"


class Sum(Record):
    """The answer to the tiny question."""

    total: int = Field(description="The sum.")


def show(state: Path | None, as_json: bool) -> None:
    """The routing table, what the campaign has spent, and how minds that share a role stand."""
    settings = options.settings(state)
    plan, spent = diversifying(settings.minds, idea_role(settings.minds)), spent_in(settings.state)
    routes = {
        role.value: [str(spec) for spec in members_of(plan, role)] if is_asked(plan, role) else [] for role in Role
    }
    ensembles = [one for one in _standings(settings.state, plan) if is_asked(plan, Role(one.role))]
    if as_json:
        budgets = plan.budgets.model_dump(exclude_none=True)
        minds = {role: named if len(named) > 1 else next(iter(named), None) for role, named in routes.items()}
        data = {"minds": minds, "spent": None if spent is None else spent._asdict(), "budgets": budgets}
        _print_json({**data, "ensembles": [one._asdict() for one in ensembles]})
        return
    if not any(routes.values()):
        Console(soft_wrap=True).print(
            "No mind is named; none is needed: the embedded composer invents. Name one with ASI_ARCH_MINDS or in the"
            " settings under [minds], for instance openai:gpt-5-mini, gguf:model.gguf or inbox:questions.",
            markup=False,
        )
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for role, named in routes.items():
        table.add_row(role, ", ".join(named) or "nobody")
    if any(routes.values()):
        Console().print(table)
    if spent is not None:
        Console().print(f"Spent in {settings.state}: {_told(spent)}", markup=False)
    if ensembles:
        Console().print(_table(ensembles))


def _standings(folder: Path, plan: MindPlan) -> list[Standing]:
    """Of minds that share a role; what the folder does not hold yet is left open."""
    with ExitStack() as stack:
        exchanges = store = None
        if (folder / FILE).is_file():
            exchanges = SqliteExchanges.open(folder, read_only=True)
            stack.callback(exchanges.close)
        if (folder / _CAMPAIGN).is_file():
            store = stack.enter_context(opened_store(folder, read_only=True))
        return standings(store, exchanges, plan, idea_role(plan))


def _table(ensembles: list[Standing]) -> Table:
    headings = ("questions", "usable", "experiments", "mean gain", "USD", "seconds", "gain/cost", "next")
    table = Table("role", "member", box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right")
    for one in ensembles:
        numbers = (one.mean_gain, one.usd, one.gain_per_cost)
        gain, usd, per_cost = ("-" if number is None else f"{number:.4f}" for number in numbers)
        counts = (one.usable, one.experiments, one.following)
        usable, experiments, following = ("-" if count is None else str(count) for count in counts)
        table.add_row(
            *(one.role, one.member, str(one.questions), usable, experiments),
            *(gain, usd, f"{one.seconds:.1f}", per_cost, following),
        )
    return table


class _Result(NamedTuple):
    """Of one mind's test."""

    mind: str
    is_answered: bool
    detail: str
    wall_s: float
    spent: Charge


def test(mind: str | None, as_json: bool) -> int:
    """Ask one mind, or each of the settings; the exit code. The records of it are thrown away."""
    plan = options.settings(None).minds
    specs = sorted({mind} if mind else set(plan.all_specs()))
    if not specs:
        raise UserError(
            "no mind is named in the settings; say which to test, such as: asi-arch minds test openai:MODEL"
        )
    specs = [str(parsed(text, plan)) for text in specs]
    results = [_tested(plan, text, is_quiet=as_json) for text in specs]
    if as_json:
        _print_json([{**result._asdict(), "spent": result.spent._asdict()} for result in results])
    else:
        _print(results)
    return ANSWERED if all(result.is_answered for result in results) else SILENT


def _tested(plan: MindPlan, mind: str, *, is_quiet: bool) -> _Result:
    began, patience_s = time.monotonic(), min(plan.patience_s, 10.0)
    alone = plan.model_copy(update={"default": mind, "roles": {}, "patience_s": patience_s})
    with tempfile.TemporaryDirectory(prefix="asi-arch-minds-") as folder:
        try:
            with Console(stderr=True, quiet=is_quiet).status(f"asking {mind}"):
                detail, is_answered = f"17 + 25 = {asyncio.run(_asked(alone, Path(folder)))}", True
        except AsiArchError as error:
            detail, is_answered = str(error), False
        spent = spent_in(Path(folder)) or Charge(0, 0, 0.0)
    return _Result(mind, is_answered, detail, time.monotonic() - began, spent)


async def _asked(plan: MindPlan, folder: Path) -> int:
    question = Question(
        role=Role.CHECKER,
        prompt=Prompt(system="You answer tiny questions.", user="What is 17 + 25?"),
        answer=Sum,
        temperature=0.0,
        max_tokens=1024,
    )
    async with opened_minds(plan, folder, warn=_warn) as minds:
        return (await minds.ask(question)).total


def _told(spent: Charge) -> str:
    return f"{spent.calls} calls, {spent.tokens} tokens, {spent.usd or 0.0:.4f} USD"


def _print(results: list[_Result]) -> None:
    for result in results:
        verdict = "answered" if result.is_answered else "no answer"
        line = f"{result.mind}: {verdict} after {result.wall_s:.1f} s ({_told(result.spent)}): {result.detail}"
        Console(soft_wrap=True).print(line, markup=False, highlight=False)


def _warn(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, markup=False)


def _print_json(value: object) -> None:
    Console(soft_wrap=True).print(json.dumps(value, indent=2), markup=False, highlight=False)
