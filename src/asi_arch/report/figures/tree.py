# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""The tree of experiments, coloured by fitness: who descends from whom, and the way to the best."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch, RegularPolygon

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.tree_layout import LEAF, PARENT, Layout, layout
from asi_arch.report.words import number, plural

_LARGEST_PARENTS, _NAMED_RADIUS = 6, 3.0
"""How many of the largest discs are named, and from which radius on."""
_BEND = 0.3
"""Share of the way between two columns on which edges go up or down."""


def tree(campaign: Digest) -> Figure:
    """Small trees in columns with all names, large ones as discs; baselines are diamonds, the best's line is orange.

    Where there is no room for the best one's full name beside it, the title has it.
    """
    lineage = Lineage(line.summary for line in campaign.lines)
    plan = layout(lineage)
    figure, (ax,) = style.panels(1, 1, height=_height(plan))
    if not lineage.nodes:
        style.say(ax, "no experiment yet")
        return figure
    ax.set_axis_off()
    best = campaign.best.summary.index if campaign.best else None
    path = lineage.path(best) if best is not None else []
    colours = _colours(lineage)
    _edges(ax, lineage, plan, path)
    (_dots if plan.is_discs else _nodes)(ax, lineage, plan, colours)
    _names(ax, lineage, plan, best)
    if plan.is_discs and best is not None:
        _ring(ax, plan, lineage.nodes[best])
    if colours is not None:
        bar = figure.colorbar(colours, ax=ax, shrink=0.55, aspect=30, pad=0.01, panchor=False)
        bar.set_label("published score" if campaign.is_imported else "fitness", fontsize=9)
        bar.ax.tick_params(labelsize=8)
    below = "the root" if campaign.is_imported else "the baselines"
    title = f"{plural(len(lineage.nodes), 'experiment')}, {plural(plan.generations, 'generation')} below {below}"
    if best is not None and (plan.is_discs or lineage.children(best)):
        title += (
            f"\n{_name(lineage.nodes[best], is_best=True, room=0)}, {'with the ring' if plan.is_discs else 'in orange'}"
        )
    figure.suptitle(title, x=0.01, ha="left", fontsize=style.TITLE, color=style.INK)
    return figure


def is_drawn_as_discs(campaign: Digest) -> bool:
    """Whether the tree is too large for a name at every node."""
    return layout(Lineage(line.summary for line in campaign.lines)).is_discs


def _height(plan: Layout) -> float:
    """As high as its rows need, or as the shape of its discs asks for."""
    if not plan.places:
        return 2.5
    rows = max(p.y for p in plan.places.values()) - min(p.y for p in plan.places.values())
    if not plan.is_discs:
        return min(13.0, 1.2 + 0.24 * rows)
    columns = max(p.x for p in plan.places.values()) + max(plan.radii.values(), default=1.0)
    return min(10.0, max(2.5, 1.0 + 8.2 * (rows + 4.5) / (columns + 4)))


def _colours(lineage: Lineage) -> ScalarMappable | None:
    """From the second percentile of fitness up, so that a few bad ones don't make all others look alike."""
    values = sorted(node.fitness for node in lineage.nodes.values() if node.fitness is not None)
    if not values:
        return None
    return ScalarMappable(Normalize(values[int(0.02 * len(values))], values[-1]), style.SEQUENTIAL)


def _edges(ax: Axes, lineage: Lineage, plan: Layout, path: Sequence[int]) -> None:
    """All edges between parents; to the leaves of a disc only the one on the way to the best."""
    on_path = set(pairwise(path))
    pairs = [(node.parent, i) for i, node in lineage.nodes.items() if node.parent in lineage.nodes]
    quiet = [(a, b) for a, b in pairs if not plan.is_discs or b in plan.radii]
    grey = "#9A9A9A" if plan.is_discs else "#BDBDBD"
    lines = [_bent(plan, a, b) for a, b in quiet if (a, b) not in on_path]
    ax.add_collection(LineCollection(lines, colors=grey, linewidths=0.9, zorder=4 if plan.is_discs else 1))
    way = [_bent(plan, a, b) for a, b in on_path]
    ax.add_collection(LineCollection(way, colors=style.RED, linewidths=2.2, zorder=5 if plan.is_discs else 2))


def _bent(plan: Layout, parent: int, child: int) -> list[tuple[float, float]]:
    """An S from left to right; in columns it is level before it reaches the name on the child's left."""
    a, b = plan.places[parent], plan.places[child]
    reach = 1.0 if plan.is_discs else _BEND
    steps = [i / 16 for i in range(17)]
    bend = [(a.x + reach * (b.x - a.x) * t, a.y + (b.y - a.y) * t * t * (3 - 2 * t)) for t in steps]
    return [*bend, (b.x, b.y)]


def _nodes(ax: Axes, lineage: Lineage, plan: Layout, colours: ScalarMappable | None) -> None:
    """Columns: markers of a fixed size."""
    for index, node in lineage.nodes.items():
        is_baseline = node.author is Author.BASELINE
        ax.scatter(
            *plan.places[index],
            s=70 if is_baseline else 46 if node.fitness is not None else 26,
            color=[_fill(node, colours)],
            marker="D" if is_baseline else "o",
            edgecolors=style.INK if is_baseline or node.fitness is not None else style.GREY,
            linewidths=1.0 if is_baseline else 0.4 if node.fitness is not None else 0.7,
            zorder=4,
        )
    ax.set_xlim(-0.12, plan.generations + 0.9)
    ax.set_ylim(min(p.y for p in plan.places.values()) - 0.8, 1.0)


def _dots(ax: Axes, lineage: Lineage, plan: Layout, colours: ScalarMappable | None) -> None:
    """Discs: shapes in the layout's own units, so that they never overlap whatever the figure's size."""
    for indices, order in (([i for i in plan.places if i not in plan.radii], 3), (list(plan.radii), 6)):
        nodes = [lineage.nodes[i] for i in indices]
        edges = [style.INK if order == 6 else style.GREY if n.fitness is None else "none" for n in nodes]
        shapes = [_shape(plan, node) for node in nodes]
        fills = [_fill(node, colours) for node in nodes]
        ax.add_collection(
            PatchCollection(shapes, facecolors=fills, edgecolors=edges, linewidths=0.5, zorder=order), autolim=False
        )
    ax.set_aspect("equal")
    xs, ys = [p.x for p in plan.places.values()], [p.y for p in plan.places.values()]
    ax.set_xlim(min(xs) - 2, max(xs) + 2)
    ax.set_ylim(min(ys) - 2, max(ys) + 2.5)


def _shape(plan: Layout, node: Summary) -> Patch:
    """Diamonds for baselines, circles for all others, the parents' larger."""
    place = plan.places[node.index]
    if node.author is Author.BASELINE:
        return RegularPolygon(place, 4, radius=1.3 * PARENT)
    return Circle(place, PARENT if node.index in plan.radii else LEAF)


def _fill(node: Summary, colours: ScalarMappable | None) -> object:
    return "white" if node.fitness is None or colours is None else colours.to_rgba(np.asarray(node.fitness))


def _names(ax: Axes, lineage: Lineage, plan: Layout, best: int | None) -> None:
    room = int(8.0 / (plan.generations + 0.9) * 72 / 4.6) - 2
    for index in _named(lineage, plan, best):
        node = lineage.nodes[index]
        is_marked = index == best or node.author is Author.BASELINE
        spot = _spot(lineage, plan, index)
        ax.annotate(
            _name(node, is_best=index == best and not lineage.children(index), room=0 if plan.is_discs else room),
            spot.at,
            xytext=spot.offset,
            textcoords="offset points",
            ha=spot.ha,
            va=spot.va,
            fontsize=9 if is_marked else 7.5,
            fontweight="bold" if is_marked and not plan.is_discs else "normal",
            color=style.RED if index == best else style.INK,
            zorder=7,
            bbox={"facecolor": "white", "alpha": 1.0 if not plan.is_discs else 0.8, "edgecolor": "none", "pad": 0.5},
        )


class _Spot(NamedTuple):
    """Where a name goes: a point, the distance from it in points, and the sides of the text that lie there."""

    at: tuple[float, float]
    offset: tuple[int, int]
    ha: Literal["left", "right", "center"]
    va: Literal["center", "bottom"]


def _spot(lineage: Lineage, plan: Layout, index: int) -> _Spot:
    """Baselines and parents have their name on the left, leaves on the right, discs above."""
    place = plan.places[index]
    if lineage.nodes[index].author is Author.BASELINE:
        at = (place.x - 1.3 * PARENT, place.y) if plan.is_discs else place
        return _Spot(at, (-2, 0) if plan.is_discs else (-8, 0), "right", "center")
    if plan.is_discs:
        return _Spot((place.x, place.y + plan.radii.get(index, LEAF)), (0, 0), "center", "bottom")
    if lineage.children(index):
        return _Spot(place, (-7, 0), "right", "center")
    return _Spot(place, (8, 0), "left", "center")


def _ring(ax: Axes, plan: Layout, best: Summary) -> None:
    """Discs leave no room for the best one's name: it gets a ring, and its name stands in the title."""
    radius = 1.8 * (PARENT if best.index in plan.radii else LEAF)
    ax.add_patch(Circle(plan.places[best.index], radius, fill=False, edgecolor=style.RED, linewidth=2.0, zorder=7))


def _named(lineage: Lineage, plan: Layout, best: int | None) -> list[int]:
    """Everything in columns; baselines and the largest discs otherwise, the best having its ring."""
    if not plan.is_discs:
        return list(lineage.nodes)
    baselines = [i for i, node in lineage.nodes.items() if node.author is Author.BASELINE]
    large = [i for i, radius in plan.radii.items() if radius >= _NAMED_RADIUS and i != best]
    largest = sorted(large, key=lambda i: -plan.radii[i])[:_LARGEST_PARENTS]
    return list(dict.fromkeys([*baselines, *largest]))


def _name(node: Summary, *, is_best: bool, room: int) -> str:
    """Cut to `room` characters; the number alone where not even a few letters fit."""
    if node.author is Author.BASELINE:
        return style.plain(node.name)
    tail = f"#{node.index}"
    if is_best:
        return f"best: {style.plain(node.name[:30])} {tail} ({number(node.fitness)})"
    length = room - len(tail) - 1
    if length < 4:
        return tail
    name = node.name if len(node.name) <= length else f"{node.name[: length - 1]}…"
    return f"{style.plain(name)} {tail}"
