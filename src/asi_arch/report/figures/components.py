# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Which mechanisms the fittest designs use, beside the rest (the paper's Figure 7)."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from asi_arch.report.digest import Digest, Line
from asi_arch.report.figures import style
from asi_arch.report.fittest import groups
from asi_arch.report.words import plural

SHOWN = 24
"""Mechanisms, the most used first; what is left is counted in a line."""
_ROW = 0.19
"""Inches of a mechanism."""


class Component(NamedTuple):
    """How often one mechanism occurs, as shares of the candidates in each group."""

    name: str
    fittest: float
    rest: float
    uses: int


def components(campaign: Digest) -> list[Component]:
    """Every mechanism of the candidates, the most used first, ties by name; of a campaign that `has_fittest`."""
    fittest, rest = groups(campaign)
    above, below = _uses(fittest), _uses(rest)
    names = sorted({*above, *below}, key=lambda name: (-above[name] - below[name], name))
    return [
        Component(name, above[name] / len(fittest), below[name] / max(len(rest), 1), above[name] + below[name])
        for name in names
    ]


def has_fittest(campaign: Digest) -> bool:
    """Whether there is a group of fittest ones, with mechanisms, to be set apart."""
    fittest, _ = groups(campaign)
    return any(line.mechanisms for line in fittest)


def component_use(campaign: Digest) -> Figure:
    """One pair of bars for each mechanism of a campaign that `has_fittest`."""
    found = components(campaign)
    shown, left = found[:SHOWN], found[SHOWN:]
    fittest, rest = groups(campaign)
    figure, (ax,) = style.panels(1, 1, height=max(2.2, 1.3 + _ROW * 1.6 * len(shown)))
    places = range(len(shown))
    pairs = (
        (-0.2, [c.fittest for c in shown], style.BLUE, f"the fittest {len(fittest)}"),
        (0.2, [c.rest for c in shown], style.PALE, plural(len(rest), "other candidate")),
    )
    for shift, shares, colour, name in pairs:
        ax.barh([place + shift for place in places], shares, height=0.38, color=colour, label=name)
    ax.set_yticks(list(places), [style.plain(c.name.replace("_", " ")) for c in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    tail = f"; {plural(len(left), 'rarer one')} not shown" if left else ""
    style.label(ax, title="What designs are made of", x=f"share of the designs that have it{tail}")
    ax.legend(loc="lower right", fontsize=8.5, frameon=False)
    return figure


def _uses(lines: Sequence[Line]) -> Counter[str]:
    return Counter(name for line in lines for name in dict.fromkeys(line.mechanisms))
