# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Language loss against recall: a model that is good at one only is easy to find."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest, Line
from asi_arch.report.figures import style
from asi_arch.report.tables import Row, Table
from asi_arch.report.words import Reading, number


def tradeoff(campaign: Digest, table: Table) -> Figure:
    """All measured candidates as dots, the table's rows with their intervals. Better is up and to the left."""
    figure, (ax,) = style.panels(1, 1, height=5.2)
    scored = _dots([line for line in campaign.candidates if line.summary.fitness is not None])
    hidden = _dots(campaign.unscored)
    size = 22 if len(scored) < 300 else 9
    if scored:
        ax.scatter(*zip(*scored, strict=True), s=size, color="#C4C4C4", lw=0, label="candidate", zorder=2)
    if hidden:
        hollow = {"facecolors": "white", "edgecolors": style.GREY, "linewidths": 0.9, "label": "no fitness"}
        ax.scatter(*zip(*hidden, strict=True), s=size, zorder=2, **hollow)
    _candidates(ax, table.candidates)
    _baselines(ax, table.baselines)
    _focus(ax, [*scored, *hidden], table)
    style.label(
        ax,
        title="Language loss against recall, with 95% intervals",
        x="held-out language loss, nats per token (better to the left)",
        y="recall accuracy (better up)",
    )
    style.legend_beside(ax)
    return figure


def _dots(lines: Sequence[Line]) -> list[tuple[float, float]]:
    pairs = [(line.summary.language_loss, line.summary.recall_accuracy) for line in lines]
    return [(loss, recall) for loss, recall in pairs if loss is not None and recall is not None]


def _candidates(ax: Axes, rows: Sequence[Row]) -> None:
    """The fittest as a star above the others of the table."""
    for row in rows[1:]:
        name = "others of the table" if row is rows[1] else None
        _cross(ax, row, style.BLUE, "o", name)
    if rows:
        _cross(ax, rows[0], style.INK, "*", f"fittest: {rows[0].summary.name} #{rows[0].summary.index}")


def _baselines(ax: Axes, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        loss, recall = number(row.summary.language_loss, 2), number(row.summary.recall_accuracy, 2)
        name = f"{row.summary.name} ({loss}, {recall})"
        _cross(ax, row, style.BASELINES[place % len(style.BASELINES)], "D", name)


def _cross(ax: Axes, row: Row, colour: str, marker: str, name: str | None) -> None:
    if row.language is None or row.recall is None:
        return
    ax.errorbar(
        [row.language.estimate],
        [row.recall.estimate],
        xerr=[row.language.margin or 0.0],
        yerr=[row.recall.margin or 0.0],
        fmt=marker,
        ms=14 if marker == "*" else 6,
        markeredgecolor="white" if marker == "*" else colour,
        color=colour,
        elinewidth=0.9 if marker != "o" else 0.5,
        alpha=0.95 if marker != "o" else 0.7,
        zorder=5 if marker == "*" else 4,
        label=None if name is None else style.plain(name),
    )


def _focus(ax: Axes, dots: Sequence[tuple[float, float]], table: Table) -> None:
    """A baseline far to the right of everything else is left to the legend, which gives its numbers."""
    near = sorted(x for x, _ in dots)[: max(1, round(0.97 * len(dots)))]
    if not near:
        return
    reach = max(near[-1] - near[0], 0.05 * near[-1])
    shown = [row for row in table.rows if row.language and row.language.estimate <= near[-1] + reach]
    xs = [*near, *_ends([row.language for row in shown])]
    room = 0.03 * max(max(xs) - min(xs), 1e-3)
    ax.set_xlim(min(xs) - room, max(xs) + room)
    ys = [*(y for x, y in dots if x <= max(xs)), *_ends([row.recall for row in shown])]
    ax.set_ylim(max(-0.02, min(ys) - 0.04), min(1.02, max(ys) + 0.04))


def _ends(readings: Sequence[Reading | None]) -> list[float]:
    """Both ends of every interval."""
    return [r.estimate + sign * (r.margin or 0.0) for r in readings if r is not None for sign in (-1, 1)]
