# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""How the pool got better, refresh by refresh: raw numbers, and the fitness with its three parts (Figure 6)."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.series.trend import PoolPoint, pool_trend
from asi_arch.report.standing import NOT_IMPORTED

_PARTS = (
    ("loss_term", style.BLUE, "loss term"),
    ("recall_term", style.GREEN, "recall term"),
    ("judge_term", style.ORANGE, "judge"),
)


def pool_figure(campaign: Digest) -> Figure:
    """Means over the pool at every refresh; there must have been two."""
    points = pool_trend(campaign)
    if campaign.is_imported:
        return _score(points)
    figure, (loss, recall, fitness) = style.panels(1, 3, height=3.5)
    _trend(loss, points, "language", style.BLUE)
    _trend(recall, points, "recall", style.GREEN)
    for name, colour, text in _PARTS:
        _trend(fitness, points, name, colour, text)
    _trend(fitness, points, "fitness", style.INK, "fitness", 2.4)
    style.label(loss, title="Pool: language loss", x="experiments", y="nats per token")
    style.label(recall, title="Pool: recall accuracy", x="experiments", y="share right")
    style.label(fitness, title="Pool: fitness and its parts", x="experiments", y="0 to 1")
    style.legend_beside(fitness)
    for ax in (loss, recall, fitness):
        style.whole_numbers(ax)
    return figure


def _score(points: Sequence[PoolPoint]) -> Figure:
    """Of an imported campaign there is the score alone."""
    figure, (loss, score) = style.panels(1, 2, height=3.5)
    style.say(loss, f"loss, benchmarks and the parts\nof the score by batch: {NOT_IMPORTED}")
    _trend(score, points, "fitness", style.INK, "mean of the 50 fittest so far", 2.0)
    _trend(score, points, "best", style.BLUE, "best so far")
    style.label(score, title="Published score", x="experiments", y="score, higher is better")
    score.legend(loc="lower right", fontsize=8.5, frameon=False)
    style.whole_numbers(score)
    return figure


def _trend(
    ax: Axes, points: Sequence[PoolPoint], name: str, colour: str, label: str | None = None, width: float = 1.6
) -> None:
    xs = [point.experiments for point in points]
    values: list[float | None] = [getattr(point, name) for point in points]
    ys = [float("nan") if value is None else value for value in values]
    ax.plot(xs, ys, color=colour, lw=width, marker="o" if len(xs) < 40 else None, ms=3, label=label)
