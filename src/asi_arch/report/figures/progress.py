# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""How a campaign went: loss and fitness of every experiment by number, and what became of those without."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest, Line
from asi_arch.report.figures import style
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.report.words import OUTCOMES

Value = Callable[[Line], float | None]


def progress(campaign: Digest) -> Figure:
    """Language loss (lower is better), fitness (higher is better), and a strip of outcomes over one axis of numbers.

    The best so far is the best of those with a fitness: a low loss without recall is not what is looked for.
    """
    if campaign.is_imported:
        return _published(campaign)
    figure, (loss, fitness, strip) = style.panels(3, 1, height=8.4, ratios=(4, 4, 1.7))
    _values(loss, campaign, lambda line: line.summary.language_loss, is_lower_better=True)
    style.label(loss, title="Held-out language loss", y="nats per token")
    _values(fitness, campaign, lambda line: line.summary.fitness, is_lower_better=False)
    style.label(fitness, title="Fitness", y="fitness")
    _outcome_strip(strip, campaign)
    style.label(strip, title="Not measured", x="experiment")
    style.whole_numbers(strip)
    figure.align_ylabels([loss, fitness])
    return figure


def _published(campaign: Digest) -> Figure:
    """Of an imported campaign there is the score alone."""
    figure, (ax,) = style.panels(1, 1, height=4.2)
    points = _points(campaign.lines, lambda line: line.summary.fitness)
    if not points:
        style.say(ax, f"a score of any design is {NOT_IMPORTED}")
        return figure
    ax.scatter(*_columns(points), s=26 if len(points) < 200 else 9, color=style.BLUE, alpha=0.65, lw=0, label="design")
    best = [*_best_so_far(points, is_lower_better=False)]
    ax.step(
        *_columns([*best, (points[-1][0], best[-1][1])]), where="post", color=style.INK, lw=1.6, label="best so far"
    )
    for place, root in enumerate(line for line in campaign.lines if line.summary.parent is None):
        if place < len(style.BASELINES) and root.summary.fitness is not None:
            name, colour = style.plain(f"{root.summary.name[:40]} (root)"), style.BASELINES[place]
            ax.axhline(root.summary.fitness, color=colour, lw=1.2, ls=(0, (5, 2)), label=name)
    style.label(ax, title="Published score", x="experiment", y="score, higher is better")
    style.whole_numbers(ax)
    style.legend_above(ax)
    return figure


def _values(ax: Axes, campaign: Digest, value: Value, *, is_lower_better: bool) -> None:
    scored = _points([x for x in campaign.candidates if x.summary.fitness is not None], value)
    hidden = _points(campaign.unscored, value)
    points = [*scored, *hidden]
    lines = [(x, y) for x in campaign.baselines if x.summary.is_measured and (y := value(x)) is not None]
    if not points and not lines:
        style.say(ax, "nothing was measured")
        return
    size = 26 if len(points) < 200 else 9
    ax.scatter(*_columns(scored), s=size, color=style.BLUE, alpha=0.65, linewidths=0, label="candidate")
    if hidden:
        ax.scatter(*_columns(hidden), s=size, facecolors="white", edgecolors=style.GREY, lw=0.9, label="no fitness")
    end = max(line.summary.index for line in campaign.lines)
    if scored:
        best = _best_so_far(scored, is_lower_better=is_lower_better)
        ax.step(*_columns([*best, (end, best[-1][1])]), where="post", color=style.INK, lw=1.6, label="best so far")
    ax.set_xlim(-0.02 * end - 0.5, end * 1.01 + 0.5)
    _baseline_lines(ax, lines)
    heights = [y for _, y in lines]
    _focus(ax, [y for _, y in points] or heights, heights, is_lower_better=is_lower_better)
    _outside(ax, points)
    style.line_labels(
        ax,
        [min(max(y, ax.get_ylim()[0]), ax.get_ylim()[1]) for _, y in lines],
        [f"{line.summary.name}{_off_scale(ax, y)}" for line, y in lines],
        [style.BASELINES[i % len(style.BASELINES)] for i in range(len(lines))],
    )
    style.legend_above(ax)


def _baseline_lines(ax: Axes, lines: Sequence[tuple[Line, float]]) -> None:
    for i, (line, y) in enumerate(lines):
        colour = style.BASELINES[i % len(style.BASELINES)]
        ax.axhline(y, color=colour, lw=1.2, ls=(0, (5, 2)), zorder=1)
        ax.scatter([line.summary.index], [y], marker="D", s=30, color=colour, zorder=3)


def _focus(ax: Axes, values: Sequence[float], lines: Sequence[float], *, is_lower_better: bool) -> None:
    """Show all but the worst few, and every baseline that is not far worse, which would flatten the rest."""
    ordered = sorted(values)
    cut = int(0.03 * (len(ordered) - 1))
    low, high = (ordered[0], ordered[-1 - cut]) if is_lower_better else (ordered[cut], ordered[-1])
    reach = max(high - low, 0.02 * abs(high), 1e-6)
    near = [y for y in lines if (y <= high + reach if is_lower_better else y >= low - reach)]
    low, high = min([low, *near]), max([high, *near])
    room = 0.08 * max(high - low, 1e-6)
    ax.set_ylim(low - room, high + room)


def _outside(ax: Axes, points: Sequence[tuple[int, float]]) -> None:
    """Small triangles at the edge for candidates that would lie beyond it."""
    low, high = ax.get_ylim()
    for marker, edge, xs in (
        ("^", high, [x for x, y in points if y > high]),
        ("v", low, [x for x, y in points if y < low]),
    ):
        ax.scatter(xs, [edge] * len(xs), marker=marker, s=20, color=style.BLUE, alpha=0.55, lw=0, clip_on=False)


def _off_scale(ax: Axes, y: float) -> str:
    low, high = ax.get_ylim()
    if low <= y <= high:
        return ""
    return f" {'↑' if y > high else '↓'} {y:.2f}"


def _best_so_far(points: Sequence[tuple[int, float]], *, is_lower_better: bool) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    for x, y in points:
        if not found or (y < found[-1][1] if is_lower_better else y > found[-1][1]):
            found.append((x, y))
    return found


def _outcome_strip(ax: Axes, campaign: Digest) -> None:
    kinds = [kind for kind in OUTCOMES if kind != "measured" and campaign.outcomes[kind]]
    if not kinds:
        style.say(ax, "every candidate was measured" if campaign.candidates else "no candidate yet")
        return
    for row, kind in enumerate(kinds):
        xs = [line.summary.index for line in campaign.candidates if line.summary.outcome == kind]
        ax.scatter(xs, [row] * len(xs), marker="|", s=46, lw=1.3, color=style.OUTCOME_COLOURS[kind])
    ax.set_yticks(range(len(kinds)), [f"{OUTCOMES[kind]} ({campaign.outcomes[kind]})" for kind in kinds])
    ax.set_ylim(len(kinds) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")


def _points(lines: Sequence[Line], value: Value) -> list[tuple[int, float]]:
    return [(line.summary.index, y) for line in lines if (y := value(line)) is not None]


def _columns(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
