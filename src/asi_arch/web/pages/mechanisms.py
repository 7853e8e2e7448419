"""What the best designs are made of, what goes together, and where ideas come from."""

import math
from enum import Enum
from typing import Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from asi_arch.domain.provenance import Origin
from asi_arch.report.digest import Digest
from asi_arch.report.origins import Origins, note, origins, share_text
from asi_arch.report.series.mechanisms import Mechanism, Mechanisms, Pairs, mechanisms
from asi_arch.web.bars import Part, whole
from asi_arch.web.charts import interval
from asi_arch.web.render import Pages
from asi_arch.web.scales import Scale

PER_PAGE = 40
_WIDEST = math.log(32)
"""Ratios beyond 32 and 1/32 are drawn at the edge."""
_STEPS = (1.25, 2.0, 4.0)
"""From which lift on a pair is tinted, stronger with each; its reciprocal for what avoids each other."""
_FAR = 2.0
"""Standard deviations from the expected count; a pair that is nearer to it is not tinted."""
_ORIGINS = {Origin.COGNITION: "a", Origin.EXPERIENCE: "c", Origin.ORIGINAL: "e"}


class Sort(str, Enum):
    """By what the mechanisms may be sorted."""

    USE = "use"
    ENRICHMENT = "enrichment"


class Row(NamedTuple):
    """A mechanism with the picture of its enrichment."""

    mechanism: Mechanism
    enrichment: str
    picture: Markup


class Cell(NamedTuple):
    """A pair in the table of what goes together."""

    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.count is never called
    tint: str
    """A class of the style sheet: 'more-1' to 'more-3', 'less-1' to 'less-3', 'even', 'self'."""
    words: str


class Shares(NamedTuple):
    """A row of Table 3."""

    name: str
    designs: int
    elements: int
    texts: list[str]
    """One for each origin; empty without elements."""
    picture: Markup | None


def add(router: APIRouter, pages: Pages) -> None:
    """The page /mechanisms."""
    pages.derived.foresee(content)

    @router.get("/mechanisms")
    def of_mechanisms(  # pyright: ignore[reportUnusedFunction]
        sort: Sort = Sort.USE, page: int = Query(1, ge=1, le=10**6)
    ) -> HTMLResponse:
        standing = pages.reader.standing()
        made = pages.derived(content)
        return HTMLResponse(
            pages.html_of(
                "mechanisms",
                standing,
                content,
                here="/mechanisms",
                title="Mechanisms",
                sort=sort.value,
                **(table(made["found"], sort, page) if made else {}),
                trace=pages.command("provenance", "--all") if standing.campaign.origin is None else "",
            )
        )


def content(campaign: Digest) -> dict[str, Any]:
    """What does not depend on the order of the table."""
    found, traced = mechanisms(campaign), origins(campaign)
    return {
        "found": found,
        "matrix": matrix(found.pairs, len(campaign.candidates)) if not found.missing else [],
        "names": found.pairs.names,
        "shares": _shares(traced) if traced else [],
        "share_note": note(traced) if traced else "",
        "origins": [(origin.value, tone) for origin, tone in _ORIGINS.items()],
        "candidates": len(campaign.candidates),
    }


def table(found: Mechanisms, sort: Sort, page: int) -> dict[str, Any]:
    """One page of the mechanisms in the order that is asked for; a page beyond the last is the last."""
    ordered = list(found.found)
    if sort is Sort.ENRICHMENT:
        ordered.sort(key=lambda m: (-m.enrichment.estimate, m.name))
    last = max(1, -(-len(ordered) // PER_PAGE))
    page = min(page, last)
    span = _span(found)
    return {
        "rows": [_row(m, span) for m in ordered[(page - 1) * PER_PAGE : page * PER_PAGE]],
        "page": page,
        "pages": last,
    }


def _span(found: Mechanisms) -> Scale:
    """Of the logarithms of all intervals, with one in the picture."""
    ends = [math.log(end) for m in found.found for end in (m.enrichment.low, m.enrichment.high)]
    low, high = max(min(ends, default=-1.0), -_WIDEST), min(max(ends, default=1.0), _WIDEST)
    return Scale(min(low, -0.5), max(high, 0.5), 1, 99)


def _row(mechanism: Mechanism, span: Scale) -> Row:
    found = mechanism.enrichment
    tone = "good" if found.low > 1 else "bad" if found.high < 1 else "quiet"
    low, estimate, high = (
        min(max(math.log(value), span.low), span.high) for value in (found.low, found.estimate, found.high)
    )
    text = f"{_ratio(found.estimate)}\u00d7 [{_ratio(found.low)}, {_ratio(found.high)}]"
    return Row(mechanism, text, interval(low, estimate, high, span=span, tone=tone))


def _ratio(value: float) -> str:
    return f"{value:.2g}" if value < 99 else f"{value:,.0f}"


def matrix(pairs: Pairs, designs: int) -> list[list[Cell]]:
    """The table of pairs of so many designs, row by row."""
    places = range(len(pairs.names))
    return [[_cell(pairs, row, column, designs) for column in places] for row in places]


def _cell(pairs: Pairs, row: int, column: int, designs: int) -> Cell:
    count, lift = pairs.counts[row][column], pairs.lifts[row][column]
    name, other = pairs.names[row], pairs.names[column]
    if lift is None:
        return Cell(count, "self", f"{name}: in {count:,}")
    expected = pairs.counts[row][row] * pairs.counts[column][column] / designs
    words = f"{name} with {other}: in {count:,}, {expected:.1f} expected by chance"
    return Cell(count, tint(count, expected, lift), words)


def tint(count: int, expected: float, lift: float) -> str:
    """The class of a cell: how far the count is from that of independent use, if it is more than noise."""
    if abs(count - expected) <= _FAR * math.sqrt(expected):
        return "even"
    word, factor = ("more", lift) if lift >= 1 else ("less", 1 / lift if lift else math.inf)
    strength = sum(factor >= step for step in _STEPS)
    return f"{word}-{strength}" if strength else "even"


def _shares(found: Origins) -> list[Shares]:
    rows: list[Shares] = []
    for group in found.groups:
        by_origin = {share.origin: share for share in group.shares}
        parts = [Part(origin.value, tone) for origin, tone in _ORIGINS.items()]
        known = [by_origin[origin] for origin in _ORIGINS if origin in by_origin]
        rows.append(
            Shares(
                name=group.name,
                designs=group.designs,
                elements=group.elements,
                texts=[share_text(share) for share in known],
                picture=whole(parts, [share.share.estimate for share in known]) if known else None,
            )
        )
    return rows
