"""Charts as SVG: no script needed, colours from the style sheet, each point with its words for mouse and reader."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from asi_arch.web.scales import Scale, spanning, tick_text

WIDTH, HEIGHT = 720, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 12, 40
_MANY = 400
_DOT = Markup('<circle cx="7" cy="4" r="3"/>')
_DASH = Markup('<line x1="0" x2="14" y1="4" y2="4"/>')


class Point(NamedTuple):
    """A value with its words, and where a click on it leads."""

    x: float
    y: float
    title: str = ""
    link: str = ""


class Series(NamedTuple):
    """Points of one kind. `tone` is a class of the style sheet: 'a' to 'h', 'quiet', 'good', 'bad'."""

    name: str
    points: Sequence[Point]
    tone: str
    kind: Literal["line", "steps", "dots", "rings"] = "line"
    low: Sequence[float] = ()
    """Lower ends of intervals, one for every point; with `high` they are drawn as a band."""
    high: Sequence[float] = ()


class Rule(NamedTuple):
    """A level across the whole chart."""

    y: float
    name: str
    tone: str


class Axes(NamedTuple):
    """What is shown, in words."""

    title: str
    x: str
    y: str
    whole_x: bool = True
    """Whether x counts."""
    y_range: tuple[float, float] | None = None
    """What is shown of y; all of it by default. Points beyond lie at the edge."""


def chart(axes: Axes, series: Sequence[Series], rules: Sequence[Rule] = ()) -> Markup:
    """The picture with its legend; a sentence where there is nothing to draw."""
    points = [point for item in series for point in item.points if math.isfinite(point.y)]
    if not points:
        return Markup('<p class="empty">{}: nothing to show yet.</p>').format(axes.title)
    levels = [point.y for point in points] + [rule.y for rule in rules]
    levels += [value for item in series for value in (*item.low, *item.high)]
    x = spanning((p.x for p in points), _LEFT, WIDTH - _RIGHT)
    y = spanning(axes.y_range or levels, HEIGHT - _BOTTOM, _TOP)
    body = Markup("").join(
        [_grid(axes, x, y), *(_rule(rule, y) for rule in rules), *(_drawn(item, x, y) for item in series)]
    )
    picture = Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-label="{title}" class="chart"><title>{title}</title>{body}</svg>'
    ).format(w=WIDTH, h=HEIGHT, title=axes.title, body=body)
    return Markup('<p class="chart-title">{}</p>{}{}').format(axes.title, picture, _legend(series, rules))


def bar(share: float, tone: str = "a") -> Markup:
    """A share from 0 to 1 as a bar for a table's cell."""
    width = round(100 * min(max(share, 0.0), 1.0), 1)
    return Markup(
        '<svg viewBox="0 0 100 8" class="bar" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/><rect class="fill tone-{}" width="{}" height="8" rx="2"/>'
        "</svg>"
    ).format(tone, width)


def interval(low: float, estimate: float, high: float, *, span: Scale, tone: str = "a") -> Markup:
    """An estimate with its interval for a table's cell; `span` maps to 0..100, and zero is marked."""
    zero = min(max(span(0.0), 0.0), 100.0)
    return Markup(
        '<svg viewBox="0 0 100 14" class="interval" preserveAspectRatio="none" aria-hidden="true">'
        '<line class="zero" x1="{z}" x2="{z}" y1="0" y2="14"/><line class="tone-{t} whisker" x1="{a}" x2="{b}" y1="7"'
        ' y2="7"/><rect class="tone-{t} fill" x="{m}" y="3" width="1.6" height="8"/></svg>'
    ).format(z=zero, t=tone, a=span(low), b=span(high), m=round(span(estimate) - 0.8, 1))


def _grid(axes: Axes, x: Scale, y: Scale) -> Markup:
    bottom = HEIGHT - _BOTTOM
    lines = [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text x="{}" y="{y}" dy="4" class="tick end">{}</text>'
        ).format(_LEFT, WIDTH - _RIGHT, _LEFT - 6, tick_text(value), y=y(value))
        for value in y.ticks(4)
    ]
    lines += [
        Markup('<text x="{}" y="{}" class="tick middle">{}</text>').format(x(value), bottom + 16, tick_text(value))
        for value in x.ticks(7)
        if not axes.whole_x or value == int(value)
    ]
    lines.append(
        Markup(
            '<text x="{}" y="{}" class="axis middle">{}</text><text class="axis middle" transform="translate(12 {})'
            ' rotate(-90)">{}</text>'
        ).format((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, axes.x, (_TOP + bottom) / 2, axes.y)
    )
    return Markup("").join(lines)


def _rule(rule: Rule, y: Scale) -> Markup:
    return Markup('<line class="rule tone-{}" x1="{}" x2="{}" y1="{y}" y2="{y}"><title>{}</title></line>').format(
        rule.tone, _LEFT, WIDTH - _RIGHT, f"{rule.name}: {rule.y:.3f}", y=_within(y(rule.y))
    )


def _drawn(item: Series, x: Scale, y: Scale) -> Markup:
    places = [(x(p.x), _within(y(p.y))) for p in item.points if math.isfinite(p.y)]
    if item.kind in ("dots", "rings"):
        shown = [point for point in item.points if math.isfinite(point.y)]
        return Markup("").join(_dot(item, point, place) for point, place in zip(shown, places, strict=True))
    path = _steps(places) if item.kind == "steps" else " ".join(f"{a},{b}" for a, b in places)
    return _band(item, x, y) + Markup('<polyline class="line tone-{}" points="{}"><title>{}</title></polyline>').format(
        item.tone, path, item.name
    )


def _dot(item: Series, point: Point, place: tuple[float, float]) -> Markup:
    mark = Markup('<circle class="{} tone-{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
        "ring" if item.kind == "rings" else "dot", item.tone, *place, _radius(item), point.title or item.name
    )
    return Markup('<a href="{}">{}</a>').format(point.link, mark) if point.link else mark


def _radius(item: Series) -> float:
    """Smaller where there are many."""
    return 3.4 if len(item.points) < _MANY else 1.8


def _band(item: Series, x: Scale, y: Scale) -> Markup:
    if not item.low:
        return Markup("")
    upper = [f"{x(p.x)},{_within(y(v))}" for p, v in zip(item.points, item.high, strict=True)]
    lower = [f"{x(p.x)},{_within(y(v))}" for p, v in zip(item.points, item.low, strict=True)]
    return Markup('<polygon class="band tone-{}" points="{}"/>').format(item.tone, " ".join(upper + lower[::-1]))


def _steps(places: Sequence[tuple[float, float]]) -> str:
    """A line that keeps its level until the next point."""
    found: list[str] = []
    for i, (a, b) in enumerate(places):
        if i:
            found.append(f"{a},{places[i - 1][1]}")
        found.append(f"{a},{b}")
    return " ".join(found)


def _within(place: float) -> float:
    return min(max(place, _TOP), HEIGHT - _BOTTOM)


def _legend(series: Sequence[Series], rules: Sequence[Rule]) -> Markup:
    named = [(item.name, item.tone, item.kind) for item in series if item.name and item.points]
    named += [(f"{rule.name} {rule.y:.3f}", rule.tone, "dashed") for rule in rules]
    if len(named) < 2:
        return Markup("")
    items = (
        Markup('<li><svg class="swatch {} tone-{}" viewBox="0 0 14 8" aria-hidden="true">{}</svg>{}</li>').format(
            kind, tone, _DOT if kind in ("dots", "rings") else _DASH, name
        )
        for name, tone, kind in named
    )
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))
