"""How the pool changed, how large designs are, what failed and where the time went: in the course of a campaign."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from asi_arch.report.digest import Digest
from asi_arch.report.series.batches import IMPORTED
from asi_arch.report.series.parameters import Parameters, Spread, parameters
from asi_arch.report.series.trend import IMPORTED_POOL, PoolPoint, pool_trend
from asi_arch.report.words import plural
from asi_arch.web.charts import Axes, Point, Rule, Series, chart
from asi_arch.web.course import course_content
from asi_arch.web.render import Pages

_X = "experiments finished"
_MOST_POINTS = 80
"""Of a line, so that each can be pointed at."""


def add(router: APIRouter, pages: Pages) -> None:
    """The page /trends."""
    pages.derived.foresee(content)

    @router.get("/trends")
    def trends() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        standing = pages.reader.standing()
        return HTMLResponse(pages.html_of("trends", standing, content, here="/trends", title="Pool and trends"))


def content(campaign: Digest) -> dict[str, Any]:
    """All of the page."""
    points, sizes = pool_trend(campaign, most=_MOST_POINTS), parameters(campaign)
    return {
        "pool": _pool(campaign, points),
        "pool_words": _pool_words(campaign, points),
        "sizes": _sizes(sizes) if sizes.spreads else None,
        "size_words": size_words(sizes),
        **course_content(campaign),
    }


def _pool(campaign: Digest, points: Sequence[PoolPoint]) -> list[Markup]:
    if campaign.is_imported:
        lines = [
            _line("best", points, lambda p: p.best, "c"),
            _line("mean of the pool", points, lambda p: p.fitness, "a"),
        ]
        return [chart(Axes("Score as published", _X, "score"), lines)] if points else []
    charts = [
        _level(campaign, points, Axes("Language loss", _X, "nats per token", is_small=True), lambda p: p.language),
        _level(campaign, points, Axes("Recall accuracy", _X, "share right", is_small=True), lambda p: p.recall),
        chart(
            Axes("Fitness and its parts", _X, "0 to 1", is_small=True),
            [
                _line("fitness", points, lambda p: p.fitness, "ink"),
                _line("loss part", points, lambda p: p.loss_term, "a"),
                _line("recall part", points, lambda p: p.recall_term, "c"),
                _line("judge part", points, lambda p: p.judge_term, "b"),
            ],
        ),
    ]
    return charts if points else []


def _level(
    campaign: Digest, points: Sequence[PoolPoint], axes: Axes, value: Callable[[PoolPoint], float | None]
) -> Markup:
    """The pool's mean beside the reference's level."""
    reference = campaign.reference
    rules: list[Rule] = []
    if reference is not None:
        loss, recall = reference.summary.language_loss, reference.summary.recall_accuracy
        level = loss if axes.title == "Language loss" else recall
        rules = [] if level is None else [Rule(level, reference.summary.name, "b")]
    return chart(axes, [_line("mean of the pool", points, value, "a")], rules)


def _line(name: str, points: Sequence[PoolPoint], value: Callable[[PoolPoint], float | None], tone: str) -> Series:
    found = [(point, value(point)) for point in points]
    return Series(
        name,
        [Point(p.experiments, v, f"{name} after {p.experiments}: {v:.3f}") for p, v in found if v is not None],
        tone,
    )


def _pool_words(campaign: Digest, points: Sequence[PoolPoint]) -> str:
    if campaign.is_imported:
        return (
            f"The pool itself is not in the imported data: shown are the {IMPORTED_POOL} best designs by number, after"
            f" every {IMPORTED}. Raw losses, recall and the parts of the score are not in the imported data either."
        )
    search = campaign.campaign.profile.search
    if not points:
        return (
            f"The pool is filled for the first time after {plural(search.cold_start, 'experiment')}, and parents come"
            " from it from then on. Its course is shown here as soon as a design has a fitness by then."
        )
    return (
        f"Means over the pool, the up to {search.pool_size} fittest, from which parents and examples are drawn. It is"
        f" renewed after every {plural(search.update_every, 'experiment')}, the first time after {search.cold_start}."
        " The fittest are chosen by these very numbers, so a part of the gain is luck."
    )


def _sizes(found: Parameters) -> Markup:
    def levels(name: str, value: Callable[[Spread], float]) -> list[Point]:
        return [
            Point((s.first + s.last) / 2, value(s), f"#{s.first} to #{s.last}, {name}: {value(s):,.0f}")
            for s in found.spreads
        ]

    median = Series(
        "median, with the middle half",
        levels("median", lambda s: s.median),
        "a",
        low=[s.quarter for s in found.spreads],
        high=[s.three_quarters for s in found.spreads],
    )
    ends = [
        Series("largest", levels("largest", lambda s: s.high), "d", "dashes"),
        Series("smallest", levels("smallest", lambda s: s.low), "e", "dashes"),
    ]
    return chart(Axes(f"Parameters of {found.of}", "experiment", "parameters"), [*ends[:1], median, *ends[1:]])


def size_words(found: Parameters) -> list[str]:
    """What the counts say about quality bought with size, and what they can't."""
    if found.missing:
        return [f"{found.missing[0].upper()}{found.missing[1:]}."]
    told: list[str] = []
    if found.models is not None and found.tolerance is not None:
        low, high = found.models
        told.append(
            f"Whole models are made equally large by the width of their MLP, to within {found.tolerance:.0%} of the"
            f" reference's: here {low:,} to {high:,} parameters. So nothing is won by a larger model; what can grow is"
            " the mixer's share of it, which is shown."
        )
    else:
        told.append("Whole models as published, often rounded. Nobody here has made them equally large.")
    if found.correlation is not None:
        told.append(
            f"Rank correlation of size and {'fitness' if found.models else 'score'}:"
            f" {found.correlation:+.2f} (Spearman; 0 is none, +1 would mean that the larger is always the better)."
        )
    return told
