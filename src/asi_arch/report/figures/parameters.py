# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Counts of parameters in the course of the campaign, and against the fitness (the paper's Figure 8)."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.series.parameters import Parameters, parameters


def parameter_counts(campaign: Digest) -> Figure:
    """Quantiles by batch on the left, every design on the right."""
    found = parameters(campaign)
    figure, (course, scatter) = style.panels(1, 2, height=3.9)
    if found.missing:
        style.say(course, found.missing)
        scatter.set_axis_off()
        return figure
    unit, name = _unit(found)
    _course(course, found, unit)
    style.label(course, title="Parameters in the course of the search", x="experiment", y=f"parameters of {name}")
    _scatter(scatter, found, unit, word="published score" if campaign.is_imported else "fitness")
    rank = "" if found.correlation is None else f"\nrank correlation {found.correlation:+.2f}".replace("-", "\u2212")
    style.label(scatter, title="Is quality bought with size?", x=f"parameters of {name}{rank}", y=scatter.get_ylabel())
    return figure


def _unit(found: Parameters) -> tuple[float, str]:
    """What counts are divided by, and the name of the axis."""
    largest = max(design.parameters for design in found.designs)
    subject = "one mixer" if found.tolerance is not None else "the whole model"
    for unit, word in ((1e6, "millions"), (1e3, "thousands")):
        if largest >= 2 * unit:
            return unit, f"{subject}, {word}"
    return 1.0, subject


def _course(ax: Axes, found: Parameters, unit: float) -> None:
    """Boxes from quarter to three quarters with the median, thin lines to the smallest and the largest."""
    for spread in found.spreads:
        middle, width = (spread.first + spread.last) / 2, 0.7 * (spread.last - spread.first + 1)
        ax.plot([middle, middle], [spread.low / unit, spread.high / unit], color=style.GREY, lw=0.9, zorder=2)
        quarter, three = spread.quarter / unit, spread.three_quarters / unit
        ax.bar(
            middle,
            three - quarter,
            bottom=quarter,
            width=width,
            color="#BBD9EE",
            edgecolor=style.BLUE,
            lw=0.7,
            zorder=3,
        )
        ax.plot([middle - width / 2, middle + width / 2], [spread.median / unit] * 2, color=style.INK, lw=1.4, zorder=4)
    style.whole_numbers(ax)


def _scatter(ax: Axes, found: Parameters, unit: float, *, word: str) -> None:
    known = [(x.parameters / unit, x.fitness) for x in found.designs if x.fitness is not None]
    if not known:
        style.say(ax, f"no design with a count has a {word}")
        return
    size = 20 if len(known) < 300 else 8
    ax.scatter(*zip(*known, strict=True), s=size, color=style.BLUE, alpha=0.6, linewidths=0)
    ax.set_ylabel(word)
