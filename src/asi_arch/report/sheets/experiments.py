"""All experiments, one row each: the whole campaign for whoever wants to analyse it elsewhere."""

from datetime import datetime, timezone

from asi_arch.report.digest import Digest, Line
from asi_arch.report.sheets.sheet import Cell, Column, Row, Sheet

_NAMES = (
    "index",
    "name",
    "author",
    "parent",
    "outcome",
    "fitness",
    "no fitness because",
    "language loss, nats",
    "recall accuracy",
    "multi-query recall",
    "judge",
    "loss term",
    "recall term",
    "parameters of the model",
    "parameters of one mixer",
    "mechanisms",
    "repairs",
    "CPU seconds: checks",
    "CPU seconds: training",
    "CPU seconds: scoring",
    "seconds: proposing",
    "seconds: wall",
    "finished",
    "source",
)


def experiments_sheet(campaign: Digest) -> Sheet:
    """By number. An imported campaign has the published facts instead of what is measured here."""
    if campaign.is_imported:
        return _imported(campaign)
    return Sheet(
        name="experiments",
        title="All experiments",
        columns=tuple(map(Column, _NAMES)),
        rows=tuple(Row(_cells(campaign, line)) for line in campaign.lines),
        note="One row for each finished experiment, by number.",
        missing="" if campaign.lines else "no experiment is finished yet",
    )


def _cells(campaign: Digest, line: Line) -> tuple[Cell, ...]:
    summary, cost, parts = line.summary, line.cost, line.parts
    finished = datetime.fromtimestamp(line.finished_at, tz=timezone.utc) if line.finished_at else None
    return (
        summary.index,
        summary.name,
        summary.author.value,
        summary.parent,
        summary.outcome,
        summary.fitness,
        campaign.yardstick.why_none(summary),
        summary.language_loss,
        summary.recall_accuracy,
        summary.mqar_accuracy,
        summary.judge,
        parts.loss if parts else None,
        parts.recall if parts else None,
        line.model_parameters,
        line.mixer_parameters,
        "; ".join(line.mechanisms),
        line.repairs,
        cost.check_cpu_s,
        cost.train_cpu_s,
        cost.score_cpu_s,
        cost.propose_s,
        cost.wall_s,
        finished.strftime("%Y-%m-%dT%H:%M:%SZ") if finished else None,
        summary.sha,
    )


def _imported(campaign: Digest) -> Sheet:
    known = [line.published for line in campaign.lines if line.published]
    tasks = tuple(dict.fromkeys(task for found in known for task in found.tasks))
    names = (
        "index",
        "name",
        "name in the source",
        "parent",
        "published score",
        "parameters",
        "last training loss, nats",
    )
    rows: list[Row] = []
    for line in campaign.lines:
        found = line.published
        curve = found.curve if found else ()
        facts: tuple[Cell, ...] = (
            line.summary.index,
            line.summary.name,
            found.label if found else None,
            line.summary.parent,
            line.summary.fitness,
            found.parameters if found else None,
            curve[-1].loss_nats if curve else None,
        )
        rows.append(Row((*facts, *(found.tasks.get(task) if found else None for task in tasks))))
    return Sheet(
        name="experiments",
        title="All experiments",
        columns=tuple(map(Column, (*names, *tasks))),
        rows=tuple(rows),
        note="One row for each design, by number, as published; nothing was measured here.",
        missing="" if rows else "the import holds no design",
    )
