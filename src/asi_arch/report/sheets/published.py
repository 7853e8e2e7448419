"""The same tables of an imported campaign: what was published, without intervals, because none were."""

from collections.abc import Sequence

from asi_arch.report.digest import Digest, Line
from asi_arch.report.sheets.sheet import Cell, Column, Row, Sheet
from asi_arch.report.standing import NOT_IMPORTED

SHOWN = 20
"""Designs of either table, the best by score; `experiments.csv` has all."""


def published_comparison(campaign: Digest) -> Sheet:
    """Results on every task that was published, of the designs that have some."""
    known = _best([line for line in campaign.lines if line.published and line.published.tasks])
    tasks = list(dict.fromkeys(task for line in known for task in (line.published.tasks if line.published else {})))
    rows = tuple(
        Row((*_head(line), *(line.published.tasks.get(task) if line.published else None for task in tasks)))
        for line in known
    )
    return Sheet(
        name="table-1-comparison",
        title="Results as published",
        columns=(Column("design"), Column("number", is_name=True), Column("published score"), *map(Column, tasks)),
        rows=rows,
        note=f"The best {len(known)} by score of the designs whose results are in the data. Not measured here;"
        f" intervals, seeds and baselines are {NOT_IMPORTED}.",
        missing="" if rows else f"results on tasks are {NOT_IMPORTED}",
    )


def published_gallery(campaign: Digest) -> Sheet:
    """Score, last training loss and size of the best designs, with the roots."""
    roots = [line for line in campaign.lines if line.summary.parent is None]
    bar = max((line.summary.fitness for line in roots if line.summary.fitness is not None), default=None)
    best = _best(
        [line for line in campaign.lines if line.summary.parent is not None and line.summary.fitness is not None]
    )
    rows = [Row(_gallery(line, bar)) for line in best] + [Row(_gallery(line, None), group=1) for line in roots[:SHOWN]]
    names = ("design", "number", "published score", "score minus the root's", "last training loss, nats", "parameters")
    return Sheet(
        name="table-2-gallery",
        title="Gallery as published",
        columns=tuple(Column(name, is_signed="minus" in name, is_name=name == "number") for name in names),
        rows=tuple(rows),
        note=f"The best {len(best)} designs by published score, and the roots of the tree. Not measured here.",
        missing="" if rows else f"scores are {NOT_IMPORTED}",
    )


def _gallery(line: Line, bar: float | None) -> tuple[Cell, ...]:
    curve = line.published.curve if line.published else ()
    score = line.summary.fitness
    gain = None if score is None or bar is None else score - bar
    loss = curve[-1].loss_nats if curve else None
    return (*_head(line), gain, loss, line.published.parameters if line.published else None)


def _head(line: Line) -> tuple[Cell, ...]:
    return line.summary.name, line.summary.index, line.summary.fitness


def _best(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (-(line.summary.fitness or 0.0), line.summary.index))[:SHOWN]
