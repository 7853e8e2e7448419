"""Charts as SVG: no script needed, colours from the style sheet, each point with its words for mouse and reader."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup, escape

from asi_arch.web.scales import Scale, spanning, tick_text

WIDTH, HEIGHT = 720, 280
SMALL_WIDTH, SMALL_HEIGHT = 420, 240
"""Of a chart that stands beside others."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 12, 40
_MANY = 400
_DOTTED = ("dots", "rings")
_DOT = Markup('<circle cx="7" cy="4" r="3"/>')
_DASH = Markup('<line x1="0" x2="14" y1="4" y2="4"/>')


class Point(NamedTuple):
    """A value with its words, and where a click on it leads. Of dots and rings, those without words are one shape."""

    x: float
    y: float
    title: str = ""
    link: str = ""


class Series(NamedTuple):
    """Points of one kind. `tone` is a class of the style sheet: 'a' to 'h', 'quiet', 'good', 'bad'."""

    name: str
    points: Sequence[Point]
    tone: str
    kind: Literal["line", "dashes", "steps", "dots", "rings"] = "line"
    """Of a line, points with a title get a dot that tells it."""
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
    is_small: bool = False
    """Whether it stands beside others."""


class Plane(NamedTuple):
    """Where things lie in a picture."""

    axes: Axes
    x: Scale
    y: Scale

    @property
    def right(self) -> float:
        """Where the axes end."""
        return _size(self.axes)[0] - _RIGHT

    @property
    def bottom(self) -> float:
        """Where the x axis lies."""
        return _size(self.axes)[1] - _BOTTOM

    def level(self, y: float) -> float:
        """The place of a y, at the edge where it lies beyond."""
        return min(max(self.y(y), _TOP), self.bottom)

    def spots(self, points: Iterable[Point]) -> list[tuple[float, float]]:
        """The places of many."""
        x, y, bottom = self.x, self.y, self.bottom
        return [(x(point.x), min(max(y(point.y), _TOP), bottom)) for point in points]


def plane(axes: Axes, xs: Iterable[float], ys: Iterable[float], *, from_zero: bool = False) -> Plane:
    """Room for these values. With `from_zero`, y begins at zero, for what is measured by its area."""
    width, height = _size(axes)
    y = spanning(ys, height - _BOTTOM, _TOP)
    return Plane(axes, spanning(xs, _LEFT, width - _RIGHT), y._replace(low=0.0) if from_zero else y)


def chart(axes: Axes, series: Sequence[Series], rules: Sequence[Rule] = ()) -> Markup:
    """The picture with its legend; a sentence where there is nothing to draw."""
    points = [point for item in series for point in item.points if math.isfinite(point.y)]
    if not points:
        return Markup('<p class="empty">{}: nothing to show yet.</p>').format(axes.title)
    levels = [point.y for point in points] + [rule.y for rule in rules]
    levels += [value for item in series for value in (*item.low, *item.high)]
    place = plane(axes, (point.x for point in points), axes.y_range or levels)
    clouds = (_cloud(item, place) for item in series)
    lines = (_rule(rule, place) for rule in rules)
    body = Markup("").join([*clouds, *lines, *(_drawn(item, place) for item in series)])
    named = [(item.name, item.tone, item.kind) for item in series if item.name and item.points]
    return picture(place, body) + legend([*named, *((f"{r.name} {r.y:.3f}", r.tone, "dashed") for r in rules)])


def picture(place: Plane, body: Markup) -> Markup:
    """The chart with its title and its axes, around what was drawn."""
    axes, (width, height) = place.axes, _size(place.axes)
    found = Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-label="{title}" class="chart{small}"><title>{title}</title>'
        "{grid}{body}</svg>"
    ).format(w=width, h=height, title=axes.title, small=" small" * axes.is_small, grid=_grid(place), body=body)
    return Markup('<p class="chart-title">{}<span class="unit">, {}</span></p>{}').format(axes.title, axes.y, found)


def bar(share: float, tone: str = "a") -> Markup:
    """A share from 0 to 1 as a bar for a table's cell."""
    width = round(100 * min(max(share, 0.0), 1.0), 1)
    return Markup(
        '<svg viewBox="0 0 100 8" class="bar" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/><rect class="fill tone-{}" width="{}" height="8"/>'
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


def legend(named: Sequence[tuple[str, str, str]]) -> Markup:
    """Names with their tones and kinds; nothing for a single one."""
    if len(named) < 2:
        return Markup("")
    items = (
        Markup('<li><svg class="swatch {} tone-{}" viewBox="0 0 14 8" aria-hidden="true">{}</svg>{}</li>').format(
            kind, tone, _DOT if kind in _DOTTED else _DASH, name
        )
        for name, tone, kind in named
    )
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))


def _size(axes: Axes) -> tuple[int, int]:
    return (SMALL_WIDTH, SMALL_HEIGHT) if axes.is_small else (WIDTH, HEIGHT)


def _grid(place: Plane) -> Markup:
    axes, x, y, right, bottom = place.axes, place.x, place.y, place.right, place.bottom
    lines = [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text x="{}" y="{y}" dy="4" class="tick end">{}</text>'
        ).format(_LEFT, right, _LEFT - 6, tick_text(value), y=y(value))
        for value in y.ticks(4)
    ]
    lines += [
        Markup('<text x="{}" y="{}" class="tick middle">{}</text>').format(x(value), bottom + 16, tick_text(value))
        for value in x.ticks(4 if axes.is_small else 7)
        if not axes.whole_x or value == int(value)
    ]
    lines.append(
        Markup(
            '<text x="{}" y="{}" class="axis middle">{}</text><text class="axis middle upright"'
            ' transform="translate(12 {}) rotate(-90)">{}</text>'
        ).format((_LEFT + right) / 2, bottom + _BOTTOM - 6, axes.x, (_TOP + bottom) / 2, axes.y)
    )
    return Markup("").join(lines)


def _rule(rule: Rule, place: Plane) -> Markup:
    return Markup('<line class="rule tone-{}" x1="{}" x2="{}" y1="{y}" y2="{y}"><title>{}</title></line>').format(
        rule.tone, _LEFT, place.right, f"{rule.name}: {rule.y:.3f}", y=place.level(rule.y)
    )


def _drawn(item: Series, place: Plane) -> Markup:
    told = [point for point in item.points if point.title and math.isfinite(point.y)]
    dots = [_dot(item, point, spot) for point, spot in zip(told, place.spots(told), strict=True)]
    if item.kind in _DOTTED:
        return Markup("").join(dots)
    spots = place.spots(point for point in item.points if math.isfinite(point.y))
    path = _steps(spots) if item.kind == "steps" else " ".join(f"{a},{b}" for a, b in spots)
    line = Markup('<polyline class="line{} tone-{}" points="{}"><title>{}</title></polyline>').format(
        " dashes" * (item.kind == "dashes"), item.tone, path, item.name
    )
    return Markup("").join([_band(item, place), line, *dots])


def _dot(item: Series, point: Point, spot: tuple[float, float]) -> Markup:
    """Escaped by hand: of ten thousand dots, formatting as markup takes ten times as long."""
    kind = "ring" if item.kind == "rings" else "dot"
    place = f'cx="{spot[0]}" cy="{spot[1]}" r="{_radius(item)}"'
    words = escape(point.title or item.name)
    mark = f'<circle class="{kind} tone-{escape(item.tone)}" {place}><title>{words}</title></circle>'
    return Markup(f'<a href="{escape(point.link)}">{mark}</a>' if point.link else mark)


def _cloud(item: Series, place: Plane) -> Markup:
    """Dots without words as one path of lines without length, each from the last: drawn as fast as one shape."""
    silent = [p for p in item.points if not p.title and math.isfinite(p.y)] if item.kind in _DOTTED else []
    moves: list[str] = []
    x = y = 0
    for a, b in sorted({(round(10 * a), round(10 * b)) for a, b in place.spots(silent)}):
        moves.append(f"m{a - x} {b - y}h0")
        x, y = a, b
    if not moves:
        return Markup("")
    return Markup('<path class="cloud tone-{}" transform="scale(.1)" stroke-width="{}" d="{}"/>').format(
        item.tone, round(20 * _radius(item)), "".join(moves)
    )


def _radius(item: Series) -> float:
    """Smaller on lines, and where there are many."""
    if item.kind not in _DOTTED:
        return 2.4
    return 3.4 if len(item.points) < _MANY else 1.8


def _band(item: Series, place: Plane) -> Markup:
    if not item.low:
        return Markup("")
    upper = [f"{place.x(p.x)},{place.level(v)}" for p, v in zip(item.points, item.high, strict=True)]
    lower = [f"{place.x(p.x)},{place.level(v)}" for p, v in zip(item.points, item.low, strict=True)]
    return Markup('<polygon class="band tone-{}" points="{}"/>').format(item.tone, " ".join(upper + lower[::-1]))


def _steps(places: Sequence[tuple[float, float]]) -> str:
    """A line that keeps its level until the next point."""
    found: list[str] = []
    for i, (a, b) in enumerate(places):
        if i:
            found.append(f"{a},{places[i - 1][1]}")
        found.append(f"{a},{b}")
    return " ".join(found)
