"""`asi-arch judge-test`: whether names and prose move a judge, it agrees with itself, and it sees a copy."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from asi_arch.agents.judge import RubricJudge
from asi_arch.agents.minds.judge import MindJudge
from asi_arch.agents.minds.judge_trial import COPIED, JUDGEMENTS, Appraise, Line, measured
from asi_arch.app import baseline
from asi_arch.cli import options
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.experiment import Judgement
from asi_arch.domain.minds import MindError
from asi_arch.domain.outcome import CheckReport, Footprint
from asi_arch.domain.ports import Evidence
from asi_arch.lab.checks.codelines import code_lines
from asi_arch.llm.asking import REASKS
from asi_arch.llm.lines import parsed
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import judges_in_brief, opened_minds

RUBRIC = "rubric"
"""The judge without a model."""
FIT, UNFIT = 0, 1
_SAMPLES = (3, 5)


class TrialWish(NamedTuple):
    """The command's options as typed."""

    mind: str
    samples: int
    as_json: bool


def judge_test(wish: TrialWish) -> int:
    """Measure a judge and print the lines; the exit code. The records of it are thrown away."""
    if wish.samples not in _SAMPLES:
        raise UserError(f"--samples must be 3 or 5, so that there is a median, got {wish.samples}")
    plan = options.settings(None).minds
    mind = RUBRIC if wish.mind == RUBRIC else str(parsed(wish.mind, plan))
    alone = plan.model_copy(update={"default": mind, "roles": {}})
    console = Console(stderr=True, quiet=wish.as_json, soft_wrap=True, highlight=False)
    console.print(_announced(mind, wish.samples), markup=False)
    try:
        lines = asyncio.run(_measured(alone, wish.samples, console))
    except MindError as error:
        return _print_failure(mind, str(error), as_json=wish.as_json)
    is_fit = all(line.is_met for line in lines)
    if wish.as_json:
        _print_json({"judge": mind, "is_fit": is_fit, "lines": [line._asdict() for line in lines]})
    else:
        _print(mind, lines, is_fit=is_fit)
    return FIT if is_fit else UNFIT


def _announced(mind: str, samples: int) -> str:
    if mind == RUBRIC:
        return f"{JUDGEMENTS} judgements by the rubric without a model"
    calls = JUDGEMENTS * samples
    return (
        f"{JUDGEMENTS} judgements of {samples} samples: {calls} questions to {mind}, at most {calls * (1 + REASKS)}"
        " calls where answers have to be asked for again"
    )


async def _measured(plan: MindPlan, samples: int, console: Console) -> list[Line]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        bar = bars.add_task("judging baselines", total=JUDGEMENTS)
        async with _judge(plan, samples, console) as appraise:
            return await measured(appraise, baseline, lambda: bars.advance(bar))


@asynccontextmanager
async def _judge(plan: MindPlan, samples: int, console: Console) -> AsyncGenerator[Appraise, None]:
    """Who marks: the rubric, or the plan's mind, whose failures are raised and not made up for."""
    context = Evidence(reference=None, parent=None, siblings=(), others=(baseline(COPIED),), noise_nats=None)
    if plan.default == RUBRIC:
        rubric = RubricJudge()

        async def counted(proposal: Proposal) -> Judgement:
            return await rubric.judge(proposal, _checks(proposal), context)

        yield counted
        return
    with tempfile.TemporaryDirectory(prefix="asi-arch-judge-") as folder:

        def warn(text: str) -> None:
            console.print(text, markup=False)

        async with opened_minds(plan, Path(folder), warn=warn) as minds:
            judge = MindJudge(minds, RubricJudge(), samples=samples, is_brief=judges_in_brief(plan))

            async def asked(proposal: Proposal) -> Judgement:
                return await judge.appraise(proposal, _checks(proposal), context)

            yield asked


def _checks(proposal: Proposal) -> CheckReport:
    """Lines alone are counted: nothing is run, and without a reference nothing else enters a mark."""
    nothing = Footprint(
        parameters=0,
        model_parameters=0,
        mlp_width=0,
        aten_calls=0,
        flops=0,
        elements=0,
        growth=0.0,
        memory_growth=0.0,
        code_lines=code_lines(proposal.source),
    )
    return CheckReport(sha=proposal.sha, footprint=nothing)


def _print(mind: str, lines: list[Line], *, is_fit: bool) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("test", "measured", "limit", "", "what"):
        table.add_column(name, justify="right" if name in ("measured", "limit") else "left")
    for line in lines:
        verdict, style = ("met", "green") if line.is_met else ("NOT MET", "red")
        bound = f"> {line.limit:.3f}" if line.name == "copy below change" else f"<= {line.limit:.3f}"
        table.add_row(line.name, f"{line.value:.3f}", bound, f"[{style}]{verdict}[/{style}]", line.told)
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"{mind} {'is fit to judge' if is_fit else 'is not fit to judge'}", markup=False)


def _print_failure(mind: str, reason: str, *, as_json: bool) -> int:
    if as_json:
        _print_json({"judge": mind, "is_fit": False, "lines": [], "reason": reason})
    else:
        Console(soft_wrap=True, highlight=False).print(f"{mind} gave no usable marks: {reason}", markup=False)
    return UNFIT


def _print_json(value: object) -> None:
    Console(soft_wrap=True, highlight=False).print(json.dumps(value, indent=2), markup=False)
