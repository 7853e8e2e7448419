# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Which mechanisms the best designs use, beside the rest (the paper's Figure 7), and which go together."""

import math
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.series.mechanisms import Mechanism, Mechanisms, mechanisms
from asi_arch.report.words import plural

SHOWN = 24
"""Mechanisms, the most used first; what is left is counted in a line."""
_ROW = 0.3
"""Inches of a mechanism."""
_WIDEST = 32.0
"""Ratios beyond it are drawn at the edge."""
_DIVERGING = "PuOr_r"
_FEWEST = 2.0
"""Designs with both that independent use must give, or a pair has no colour."""


def mechanism_use(campaign: Digest) -> Figure:
    """A pair of bars for each mechanism, and beside it how many times as frequent it is in the gallery."""
    found = mechanisms(campaign)
    shown = found.found[:SHOWN]
    figure, (shares, ratios) = style.panels(1, 2, height=max(2.6, 1.3 + _ROW * len(shown)), widths=(1.5, 1))
    if found.missing:
        style.say(shares, found.missing)
        ratios.set_axis_off()
        return figure
    _shares(shares, found, shown)
    _ratios(ratios, shown)
    for ax in (shares, ratios):
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
    return figure


def mechanism_pairs(campaign: Digest) -> Figure:
    """Counts of designs with both, coloured by how far that is from independent use."""
    found = mechanisms(campaign)
    names, counts, lifts, _ = found.pairs
    figure, (ax,) = style.panels(1, 1, height=2.6 + 0.36 * len(names))
    if found.missing:
        style.say(ax, found.missing)
        return figure
    values = np.array(
        [[_tint(lift, found.pairs.expected(i, j)) for j, lift in enumerate(row)] for i, row in enumerate(lifts)]
    )
    image = ax.imshow(np.ma.masked_invalid(values), cmap=_DIVERGING, norm=LogNorm(1 / 8, 8), aspect="auto")
    for row, column in product(range(len(names)), repeat=2):
        lift = float(values[row, column])
        is_dark = not np.isnan(lift) and abs(np.log(lift)) > 1.45
        ink = "white" if is_dark else style.INK
        text = f"{counts[row][column]:,}"
        drawn = ax.text(column, row, text, ha="center", va="center", fontsize=7.5, color=ink)
        drawn.set_in_layout(False)
    plain = [_shown(name) for name in names]
    ax.set_xticks(range(len(names)), plain, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), plain)
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    style.label(
        ax,
        title="Which mechanisms go together: designs with both",
        x=f"coloured where independent use would give at least {_FEWEST:g} designs",
    )
    bar = figure.colorbar(image, ax=ax, shrink=0.6, aspect=25, pad=0.02)
    bar.set_ticks([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], labels=["≤ ⅛", "¼", "½", "1", "2", "4", "≥ 8"])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("count over what independent use would give", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return figure


def _tint(lift: float | None, expected: float) -> float:
    """Within the scale; NaN where too few are expected to say anything."""
    return math.nan if lift is None or expected < _FEWEST else min(8.0, max(1 / 8, lift))


def _shares(ax: Axes, found: Mechanisms, shown: tuple[Mechanism, ...]) -> None:
    pairs = (
        (-0.2, [m.gallery for m in shown], style.BLUE, found.gallery),
        (0.2, [m.rest for m in shown], style.PALE, plural(found.rest_size, "other candidate")),
    )
    for shift, shares, colour, name in pairs:
        ax.barh([place + shift for place in range(len(shown))], shares, height=0.38, color=colour, label=name)
    ax.set_yticks(range(len(shown)), [_shown(m.name) for m in shown])
    ax.set_xlim(0, 1.005)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    left = len(found.found) - len(shown)
    tail = f"\n{plural(left, 'rarer one')} not shown" if left else ""
    style.label(ax, title="What designs are made of", x=f"share of the designs that have it{tail}")
    ax.legend(loc="lower right", fontsize=8.5, frameon=True, framealpha=0.9, edgecolor="none")


def _ratios(ax: Axes, shown: tuple[Mechanism, ...]) -> None:
    """Points with intervals on a logarithmic axis; blue where the interval excludes 1."""
    for place, mechanism in enumerate(shown):
        ratio = mechanism.enrichment
        low, high = max(ratio.low, 1 / _WIDEST), min(ratio.high, _WIDEST)
        is_clear = ratio.low > 1 or ratio.high < 1
        colour = style.BLUE if ratio.low > 1 else style.RED if is_clear else style.GREY
        ax.plot([low, high], [place, place], color=colour, lw=1.4, solid_capstyle="butt")
        ax.plot([min(max(ratio.estimate, 1 / _WIDEST), _WIDEST)], [place], "o", color=colour, ms=4.5)
    ax.axvline(1, color=style.INK, lw=0.9, zorder=1)
    ax.set_xscale("log", base=2)
    reach = max([2.0, *(max(min(m.enrichment.high, _WIDEST), 1 / max(m.enrichment.low, 1 / _WIDEST)) for m in shown)])
    ax.set_xlim(1 / (1.1 * reach), 1.1 * reach)
    ticks = [
        2.0**power for power in range(-5, 6) if 2.0**-5 <= 2.0**power <= 2.0**5 and 1 / reach <= 2.0**power <= reach
    ]
    ax.xaxis.set_major_locator(FixedLocator(ticks[:: 2 if len(ticks) > 7 else 1] if 1.0 in ticks[::2] else ticks[1::2]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks([])
    style.label(ax, title="More frequent by", x="ratio of the shares, with 95% interval")


def _shown(name: str) -> str:
    return style.plain(name.replace("_", " "))
