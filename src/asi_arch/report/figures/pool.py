# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""How the pool got better, refresh by refresh: raw numbers, and the fitness with its three parts."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest, Line, pools
from asi_arch.report.figures import style


def pool_trend(campaign: Digest) -> Figure:
    """Means over the pool at every refresh; there must have been two."""
    figure, (loss, recall, fitness) = style.panels(1, 3, height=3.5)
    found = pools(campaign.lines, campaign.campaign)
    xs = [snapshot for snapshot, _ in found]
    _trend(loss, xs, [_mean([line.summary.language_loss for line in pool]) for _, pool in found], style.BLUE)
    _trend(recall, xs, [_mean([line.summary.recall_accuracy for line in pool]) for _, pool in found], style.GREEN)
    _parts(fitness, xs, [pool for _, pool in found])
    style.label(loss, title="Pool: language loss", x="experiments", y="nats per token")
    style.label(recall, title="Pool: recall accuracy", x="experiments", y="share right")
    style.label(fitness, title="Pool: fitness and its parts", x="experiments")
    for ax in (loss, recall, fitness):
        style.whole_numbers(ax)
    return figure


def _parts(ax: Axes, xs: list[int], pool_at: list[list[Line]]) -> None:
    terms = [[line.parts for line in pool if line.parts] for pool in pool_at]
    _trend(ax, xs, [_mean([part.loss for part in group]) for group in terms], style.BLUE, "loss term")
    _trend(ax, xs, [_mean([part.recall for part in group]) for group in terms], style.GREEN, "recall term")
    _trend(ax, xs, [_mean([part.judge for part in group]) for group in terms], style.ORANGE, "judge")
    _trend(ax, xs, [_mean([line.summary.fitness for line in pool]) for pool in pool_at], style.INK, "fitness", 2.4)
    style.legend_beside(ax)


def _trend(ax: Axes, xs: list[int], ys: list[float], colour: str, name: str | None = None, width: float = 1.6) -> None:
    ax.plot(xs, ys, color=colour, lw=width, marker="o" if len(xs) < 40 else None, ms=3, label=name)


def _mean(values: list[float | None]) -> float:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else float("nan")
