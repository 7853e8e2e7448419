"""`asi-arch check` and `asi-arch train`: candidate files outside a campaign."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from asi_arch.app import baseline, opened_lab, require_containment
from asi_arch.cli import options
from asi_arch.domain.candidate import Adapter, Author, Proposal, fingerprint
from asi_arch.domain.outcome import CheckReport, Run, RunKey, Severity
from asi_arch.domain.ports import Lab, RunOrder
from asi_arch.domain.ports import Progress as Tick
from asi_arch.domain.profile import Profile, StageName
from asi_arch.tasks.catalog import build_tasks, data_fingerprint
from asi_arch.wishes import Wish, wished_profile

PASSED, REJECTED = 0, 1


class Verified(NamedTuple):
    """A file and what its checks found."""

    path: Path
    report: CheckReport


class CheckWish(NamedTuple):
    """The command's options as typed."""

    profile: str | None
    as_json: bool
    adapter: str = "mixer"
    is_uncontained: bool = False


def check(sources: Mapping[Path, str], wish: CheckWish) -> int:
    """Check programs by their files in one lab, so that they share its warm parent; returns the exit code."""
    profile, adapter = wished_profile(Wish(profile=wish.profile)), options.adapter(wish.adapter)
    if not wish.is_uncontained:
        require_containment(options.settings(None))
    reports = asyncio.run(_check_all(profile, sources, adapter=adapter, quiet=wish.as_json))
    if wish.as_json:
        _print_json([_check_payload(item) for item in reports])
    else:
        _print_reports(reports)
    return PASSED if all(item.report.is_passed for item in reports) else REJECTED


async def _check_all(profile: Profile, sources: Mapping[Path, str], *, adapter: Adapter, quiet: bool) -> list[Verified]:
    settings = options.settings(None)
    tasks = build_tasks(profile, settings.cache)
    protocol = profile.protocol_hash(data_fingerprint(tasks))
    reports: list[Verified] = []
    async with opened_lab(profile, tasks, protocol, settings) as lab:
        with _bars(quiet) as bars:
            bar = bars.add_task("checking", total=len(sources))
            for path, source in sources.items():
                reports.append(Verified(path, await lab.check(source, adapter)))
                bars.advance(bar)
    return reports


def _bars(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True)


def _check_payload(item: Verified) -> dict[str, Any]:
    verdict = "passed" if item.report.is_passed else "rejected"
    return {"file": str(item.path), "verdict": verdict, **item.report.model_dump(mode="json")}


def _print_reports(reports: list[Verified]) -> None:
    console = Console()
    for path, report in reports:
        word = "[green]passed[/green]" if report.is_passed else "[red]rejected[/red]"
        console.print(f"[bold]{path}[/bold]  {word}  {len(report.passed_checks)} checks passed, {report.cpu_s:.1f} s")
        for finding in report.findings:
            style = "red" if finding.severity is Severity.ERROR else "yellow"
            console.print(f"  [{style}]{finding.check}[/{style}]", end=" ")
            console.print(finding.message, markup=False, highlight=False)
        if report.footprint is not None:
            foot = report.footprint
            console.print(
                f"  [dim]{foot.parameters:,} parameters in the mixer, {foot.model_parameters:,} in the model (MLP width"
                f" {foot.mlp_width}); {foot.aten_calls} operations; work grows like T^{foot.growth:.2f}[/dim]"
            )


class TrainWish(NamedTuple):
    """The command's options as typed."""

    file: Path
    against: str | None
    profile: str | None
    data: str | None
    workers: int | None
    as_json: bool
    adapter: str = "mixer"
    is_uncontained: bool = False


class Trained(NamedTuple):
    """One model's checks and runs."""

    name: str
    checks: CheckReport
    runs: tuple[Run, ...]

    @property
    def verdict(self) -> str:
        """'measured', 'rejected' by the checks, or how the first run ended that was not measured."""
        if not self.runs:
            return "rejected"
        return next((run.outcome.kind for run in self.runs if run.outcome.kind != "measured"), "measured")


def train(source: str, wish: TrainWish) -> int:
    """Check the file's program, train it and the baselines, print losses and accuracies; returns the exit code."""
    profile = wished_profile(Wish(profile=wish.profile, data=wish.data))
    own = file_proposal(wish.file, source).model_copy(update={"adapter": options.adapter(wish.adapter)})
    if not wish.is_uncontained:
        require_containment(options.settings(None))
    names = (wish.against or profile.search.baselines[0]).split(",")
    rivals = [baseline(name.strip()) for name in names]
    results = asyncio.run(_train_all(wish, profile, own, rivals))
    if wish.as_json:
        files = [str(wish.file), *(None for _ in results[1:])]
        _print_json([_train_payload(result, file) for result, file in zip(results, files, strict=True)])
    else:
        _print_trained(results)
    return PASSED if results[0].verdict == "measured" else REJECTED


def file_proposal(path: Path, source: str) -> Proposal:
    """A user's file as a proposal; a text that is not Python gets its own hash as fingerprint and fails the checks."""
    try:
        print_ = fingerprint(source)
    except (SyntaxError, ValueError):
        print_ = ""
    return Proposal(
        author=Author.USER, name=path.stem, motivation=f"The file {path.name}", source=source, fingerprint=print_
    )


async def _train_all(wish: TrainWish, profile: Profile, own: Proposal, rivals: list[Proposal]) -> list[Trained]:
    settings = options.settings(None, wish.workers)
    tasks = build_tasks(profile, settings.cache)
    protocol = profile.protocol_hash(data_fingerprint(tasks))
    async with opened_lab(profile, tasks, protocol, settings) as lab:
        checked = [(model, await lab.check(model.source, model.adapter)) for model in (own, *rivals)]
        if not checked[0][1].is_passed:
            return [Trained(own.name, checked[0][1], ())]
        with _bars(wish.as_json) as bars:
            trainings = [_train_one(lab, profile, protocol, model, report, bars) for model, report in checked]
            return await asyncio.gather(*trainings)


async def _train_one(
    lab: Lab, profile: Profile, protocol: str, model: Proposal, checks: CheckReport, bars: Progress
) -> Trained:
    """All seeds and stages of one model; the lab limits how many train at once."""
    if checks.footprint is None:
        return Trained(model.name, checks, ())
    width = checks.footprint.mlp_width

    async def one(stage: StageName, seed: int) -> Run:
        key = RunKey(sha=model.sha, protocol=protocol, stage=stage, seed=seed)
        bar = bars.add_task(f"{model.name} {stage.value} seed {seed}", total=getattr(profile, stage.value).steps)

        def on_progress(tick: Tick) -> None:
            bars.update(
                bar, completed=tick.step, description=f"{model.name} {stage.value} seed {seed} {tick.loss_nats:.3f}"
            )

        order = RunOrder(source=model.source, key=key, mlp_width=width, adapter=model.adapter)
        run, _ = await lab.run(order, on_progress)
        bars.remove_task(bar)
        return run

    runs = await asyncio.gather(*(one(stage, seed) for stage in StageName for seed in profile.seeds))
    return Trained(model.name, checks, tuple(runs))


def _train_payload(result: Trained, file: str | None) -> dict[str, Any]:
    """Like that of `check`, with the runs; baselines have no file."""
    return {
        "file": file,
        "name": result.name,
        "verdict": result.verdict,
        **result.checks.model_dump(mode="json"),
        "runs": [run.model_dump(mode="json", exclude={"score": {"rows"}}) for run in result.runs],
    }


def _print_trained(results: list[Trained]) -> None:
    console = Console()
    if not results[0].runs:
        own = results[0]
        _print_reports([Verified(Path(own.name), own.checks)])
        return
    table = Table("model", "seed", "stage", "outcome", "held-out loss", "accuracy", "CPU time", "tokens/s")
    for result in results:
        for run in result.runs:
            score = run.score
            table.add_row(
                result.name,
                str(run.key.seed),
                run.key.stage.value,
                run.outcome.kind,
                "" if score is None else f"{score.loss_nats:.4f}",
                "" if score is None else f"{score.accuracy:.3f}",
                f"{run.cpu_s:.1f} s",
                f"{run.tokens / run.cpu_s:,.0f}" if run.cpu_s else "",
            )
    console.print(table)
    for result in results:
        for run in result.runs:
            if run.outcome.kind == "crashed":
                console.print(f"[red]{result.name}[/red]: {run.outcome.reason}", highlight=False)
                console.print(run.outcome.log, markup=False, highlight=False)


def _print_json(value: object) -> None:
    Console(soft_wrap=True, highlight=False).print(json.dumps(value, indent=2), markup=False)
