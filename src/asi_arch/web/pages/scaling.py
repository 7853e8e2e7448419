"""Discoveries against compute, and what a straight line means."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import Digest
from asi_arch.report.series.discoveries import Discoveries, Find, discoveries, remarks
from asi_arch.report.words import MISSING
from asi_arch.web.charts import Axes, Point, Series, chart
from asi_arch.web.render import Pages

_MOST_DOTS = 200
"""More leads than these are a line without dots."""
_LATEST = 10
_BAND_POINTS = 24


class Fact(NamedTuple):
    """One number with its name, and what it means."""

    name: str
    value: str
    note: str


class Late(NamedTuple):
    """One of the latest finds."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    name: str
    spent: str
    is_clear: bool


def add(router: APIRouter, pages: Pages) -> None:
    """The page /scaling."""
    pages.derived.foresee(content)

    @router.get("/scaling")
    def scaling() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        standing, title = pages.reader.standing(), "Discoveries against compute"
        verify = pages.command("verify", "best") if standing.campaign.origin is None else ""
        return HTMLResponse(pages.html_of("scaling", standing, content, here="/scaling", title=title, verify=verify))


def content(campaign: Digest) -> dict[str, Any]:
    """All of the page."""
    found = discoveries(campaign)
    return {
        "found": found,
        "chart": picture(found) if found.leads or found.promoted else None,
        "facts": [] if found.missing else facts(found),
        "remarks": remarks(found),
        "latest": [
            Late(f.index, f.name, f"{amount(f.spent)} {found.unit}", f.is_clear)
            for f in (found.promoted or found.leads)[::-1][:_LATEST]
        ],
    }


def picture(found: Discoveries) -> Markup:
    """Running totals as steps, a constant rate with its interval, the straight line through the leads from zero on."""
    series: list[Series] = []
    if found.rate is not None and found.leads:
        series.append(_constant_rate(found.rate, found.total))
    if found.fit is not None:
        fit = found.fit
        start = max(found.leads[0].spent, -fit.intercept / fit.slope.estimate if fit.slope.estimate > 0 else 0.0)
        ends = (min(start, found.total), found.total)
        series.append(Series("straight line", [Point(x, fit.at(x)) for x in ends], "b", "dashes"))
    series.append(Series("leads", _totals(found.leads, found.total), "a", "steps"))
    if len(found.leads) <= _MOST_DOTS:
        series.append(Series("", _dots(found.leads, "lead"), "a", "dots"))
    if found.promoted:
        series.append(Series("promoted", _totals(found.promoted, found.total), "c", "steps"))
        series.append(Series("", _dots(found.promoted, "promoted"), "c", "dots"))
    return chart(Axes("Leads so far", found.unit, "designs", whole_x=False), series)


def _constant_rate(rate: Interval, total: float) -> Series:
    xs = [total * i / _BAND_POINTS for i in range(_BAND_POINTS + 1)]
    return Series(
        "constant rate, 95%",
        [Point(x, rate.estimate * x) for x in xs],
        "quiet",
        low=[rate.low * x for x in xs],
        high=[rate.high * x for x in xs],
    )


def _totals(finds: Sequence[Find], end: float) -> list[Point]:
    """From nothing to what is found in the end."""
    steps = [Point(find.spent, number) for number, find in enumerate(finds, 1)]
    return [Point(0.0, 0.0), *steps, Point(end, len(finds))]


def _dots(finds: Sequence[Find], word: str) -> list[Point]:
    return [
        Point(find.spent, number, f"#{find.index} {find.name}: {word} {number}", f"/experiments/{find.index}")
        for number, find in enumerate(finds, 1)
    ]


def facts(found: Discoveries) -> list[Fact]:
    """The numbers behind the picture."""
    unit = found.unit.removesuffix("s")
    by_chance = MISSING if found.by_chance is None else f"{found.by_chance:,.0f}"
    told = [
        Fact(
            "leads", f"{len(found.leads):,}", f"of {found.candidates:,} that could have been; by luck alone {by_chance}"
        ),
        Fact(
            "clear leads",
            f"{sum(find.is_clear for find in found.leads):,}",
            "by more than the seeds' noise in both numbers",
        ),
        Fact("promoted", f"{len(found.promoted):,}", "borne out by verify: only these are claims"),
        Fact("compute", amount(found.total), f"{found.unit} of the search"),
    ]
    if found.by_chance is None:
        told = [told[0]._replace(note=f"of {found.candidates:,} with a score")]
        told.append(Fact("experiments", amount(found.total), "in the place of compute, which was not published"))
    if found.rate is not None:
        note = f"{_ends(found.rate)}, exact for a constant rate"
        told.append(Fact(f"leads per {unit}", f"{found.rate.estimate:.3g}", note))
    if found.fit is not None:
        note = f"{_ends(found.fit.slope)} leads per {unit}, too narrow; R² {found.fit.r_squared:.3f}"
        told.append(Fact("slope of the line", f"{found.fit.slope.estimate:.3g}", note))
    if found.law is not None:
        note = f"{_ends(found.law.exponent)}; 1 is in proportion, less has diminishing returns"
        told.append(Fact("exponent", f"{found.law.exponent.estimate:.3g}", note))
    if found.trend is not None:
        told.append(Fact("trend", f"z = {found.trend:+.1f}", "Laplace's test; within ±1.96 no clear change"))
    return told


def amount(value: float) -> str:
    """'5.54', '1,772'."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _ends(found: Interval) -> str:
    return f"[{found.low:.3g}, {found.high:.3g}]"
