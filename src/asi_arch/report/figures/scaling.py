# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Discoveries against compute (the paper's Figure 1)."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.series.discoveries import Discoveries, Find, discoveries


def discovery_curve(campaign: Digest) -> Figure:
    """Running totals of leads and of promoted designs, with the leads' line and what luck alone would give."""
    found = discoveries(campaign)
    figure, (ax,) = style.panels(1, 1, height=4.6)
    if found.missing:
        style.say(ax, found.missing)
        return figure
    name = "above the root's published score" if campaign.is_imported else "leads"
    _steps(ax, found.leads, found.total, style.BLUE, f"{name} ({len(found.leads):,})")
    if not campaign.is_imported:
        _steps(ax, found.promoted, found.total, style.RED, f"promoted by verify ({len(found.promoted):,})")
    _line(ax, found)
    if found.by_chance is not None:
        ax.plot(
            [0, found.total],
            [0, found.by_chance],
            color=style.GREY,
            lw=1.2,
            ls=(0, (1, 1.5)),
            label=f"by luck alone, if all were as good as the reference ({found.by_chance:.0f})",
        )
    ax.set_xlim(0, found.total * 1.02)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    title = "Designs above the root's score" if campaign.is_imported else "Discoveries against compute"
    style.label(ax, title=title, x=found.unit, y="designs, running total")
    ax.legend(loc="upper left", fontsize=8.5, frameon=False)
    return figure


def _steps(ax: Axes, finds: Sequence[Find], end: float, colour: str, name: str) -> None:
    xs = [0.0, *(find.spent for find in finds), end]
    ys = [*range(len(finds) + 1), len(finds)]
    ax.step(xs, ys, where="post", color=colour, lw=1.8, label=name, zorder=4)
    if 0 < len(finds) <= 60:
        ax.scatter(xs[1:-1], ys[1:-1], s=16, color=colour, zorder=5)


def _line(ax: Axes, found: Discoveries) -> None:
    """The least-squares line over the stretch that it was fitted to."""
    fit = found.fit
    if fit is None:
        return
    ends = (found.leads[0].spent, found.leads[-1].spent)
    unit = found.unit.removesuffix("s")
    slope = f"{fit.slope.estimate:.4g} [{fit.slope.low:.4g}, {fit.slope.high:.4g}] per {unit}"
    name = f"least squares: {slope}, R² = {fit.r_squared:.3f}"
    ax.plot(ends, [fit.at(x) for x in ends], color=style.INK, lw=1.1, ls=(0, (5, 2)), label=name, zorder=3)
