# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""The whole tree in one picture, whatever its size: radial (the paper's Figure 5), and layered by generation."""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from asi_arch.domain.lineage import Lineage
from asi_arch.report.digest import Digest, Line
from asi_arch.report.figures import colour, style
from asi_arch.report.series.tree import Spot, TreeLayout, TreeNode, tree_layout
from asi_arch.report.words import number, plural

_PIECES = 9
"""Straight pieces of a bent edge."""
_ROWS = 6
"""At most so many rows deep stand the leaves of a crowded fan, so that each of them is seen."""
_POINTS = 7.6 * 72
"""Across the circle, and across the columns."""
_NAMED = 12
"""Roots up to this number are named."""

Bend = list[tuple[float, float]]


class _Scene(NamedTuple):
    """What both pictures show."""

    plan: TreeLayout
    nodes: Mapping[int, TreeNode]
    lines: Mapping[int, Line]
    colours: colour.Ranked | None
    path: list[int]
    """From the root to the best; empty without one."""
    word: str
    """What the colour means."""

    @property
    def dot(self) -> float:
        """Diameter of a node in points."""
        return 6.5 if len(self.nodes) < 100 else 4.4 if len(self.nodes) < 400 else 2.9


def radial(campaign: Digest) -> Figure:
    """Roots in the middle, a ring for each generation, colour by fitness, the way to the best in orange."""
    scene = _scene(campaign)
    figure, (ax,) = style.panels(1, 1, height=8.6)
    ax.set_axis_off()
    if not scene.nodes:
        style.say(ax, "no experiment yet")
        return figure
    _rings(ax, scene.plan)
    polar = _polar(scene)
    bends = {(a, b): _swung(scene, polar, a, b) for a, b in _edges(scene)}
    _draw(ax, scene, {index: _spot(*place) for index, place in polar.items()}, bends)
    ax.set_aspect("equal")
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    _legend(ax, scene, (0.0, 0.0), columns=1)
    _finish(figure, ax, scene)
    return figure


def layered(campaign: Digest) -> Figure:
    """Generations from left to right, colour by fitness, the way to the best in orange."""
    scene = _scene(campaign)
    height = min(10.5, max(3.0, 1.5 + 0.1 * scene.plan.leaves))
    figure, (ax,) = style.panels(1, 1, height=height)
    if not scene.nodes:
        style.say(ax, "no experiment yet")
        return figure
    spots = _layers(scene, 72 * (height - 1.2))
    _draw(ax, scene, spots, {(a, b): _level(spots[a], spots[b]) for a, b in _edges(scene)})
    deepest = scene.plan.depth
    ax.set_xlim(-0.02, max(1.02, max(spot.x for spot in spots.values()) + 0.01))
    ax.set_ylim(-0.01, 1.01)
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_yticks([])
    ax.set_xticks([depth / max(deepest, 1) for depth in range(deepest + 1)], list(map(str, range(deepest + 1))))
    style.label(ax, x="generation (steps from the root)")
    _legend(ax, scene, (0.0, -0.5 / height), columns=4)
    _finish(figure, ax, scene)
    return figure


def _scene(campaign: Digest) -> _Scene:
    plan, best = tree_layout(campaign), campaign.best
    return _Scene(
        plan=plan,
        nodes={node.index: node for node in plan.nodes},
        lines={line.summary.index: line for line in campaign.lines},
        colours=colour.ranked([line.summary.fitness for line in campaign.lines if line.summary.fitness is not None]),
        path=Lineage(line.summary for line in campaign.lines).path(best.summary.index) if best else [],
        word="published score" if campaign.is_imported else "fitness",
    )


def _edges(scene: _Scene) -> list[tuple[int, int]]:
    return [(node.parent, node.index) for node in scene.plan.nodes if node.parent is not None]


def _rings(ax: Axes, plan: TreeLayout) -> None:
    angles = np.linspace(0, 2 * math.pi, 181)
    for radius in plan.rings:
        ax.plot(0.5 + radius * np.cos(angles), 0.5 + radius * np.sin(angles), color="#EEEEEE", lw=0.7, zorder=0)


def _polar(scene: _Scene) -> dict[int, tuple[float, float]]:
    """Distance from the middle, and angle."""
    rings = (*scene.plan.rings, 0.55)
    share = 2 * math.pi / max(scene.plan.leaves, 1)
    found = {node.index: (rings[node.depth], node.angle) for node in scene.plan.nodes}
    for index, row in _rows(scene, lambda node: rings[node.depth] * share * _POINTS).items():
        depth, (distance, angle) = scene.nodes[index].depth, found[index]
        step = min(1.05 * scene.dot / _POINTS, 0.8 * (rings[depth + 1] - rings[depth]) / _ROWS)
        found[index] = (distance + row * step, angle)
    return found


def _layers(scene: _Scene, points: float) -> dict[int, Spot]:
    """`points` is the height."""
    found = {node.index: node.layered for node in scene.plan.nodes}
    step = min(1.05 * scene.dot / _POINTS, 0.8 / max(scene.plan.depth, 1) / _ROWS)
    for index, row in _rows(scene, lambda _: points / max(scene.plan.leaves, 1)).items():
        found[index] = Spot(found[index].x + row * step, found[index].y)
    return found


def _rows(scene: _Scene, spacing: Callable[[TreeNode], float]) -> dict[int, int]:
    """The row of every leaf; there are as many as `spacing`, the distance of neighbours in points, asks for."""
    found: dict[int, int] = {}
    seen: dict[int | None, int] = {}
    for node in scene.plan.nodes:
        if node.leaves == 1 and node.parent is not None and node.index not in scene.path[:-1]:
            place = seen.get(node.parent, 0)
            seen[node.parent] = place + 1
            found[node.index] = place % min(_ROWS, math.ceil(scene.dot / max(spacing(node), 0.01)))
    return found


def _spot(distance: float, angle: float) -> Spot:
    return Spot(0.5 + distance * math.cos(angle), 0.5 + distance * math.sin(angle))


def _swung(scene: _Scene, polar: Mapping[int, tuple[float, float]], parent: int, child: int) -> Bend:
    """Turns while it goes outward."""
    (start, first), (end, last) = polar[parent], polar[child]
    if start < 1e-9:
        first = last
    found: Bend = []
    for piece in range(_PIECES + 1):
        t = piece / _PIECES
        found.append(_spot(start + (end - start) * t, first + (last - first) * t * t * (3 - 2 * t)))
    return found


def _level(a: Spot, b: Spot) -> Bend:
    """An S from left to right."""
    ts = [piece / _PIECES for piece in range(_PIECES + 1)]
    return [(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t * t * (3 - 2 * t)) for t in ts]


def _draw(ax: Axes, scene: _Scene, spots: Mapping[int, Spot], bends: Mapping[tuple[int, int], Bend]) -> None:
    way = set(pairwise(scene.path))
    width = 0.8 if len(bends) < 400 else 0.3
    quiet = [bend for edge, bend in bends.items() if edge not in way]
    ax.add_collection(LineCollection(quiet, colors="#BDBDBD", linewidths=width, zorder=1), autolim=False)
    marked = [bend for edge, bend in bends.items() if edge in way]
    ax.add_collection(LineCollection(marked, colors=style.RED, linewidths=1.8, zorder=2), autolim=False)
    _dots(ax, scene, spots)
    _roots(ax, scene, spots)
    if scene.path:
        x, y = spots[scene.path[-1]]
        ax.scatter(x, y, s=(scene.dot + 7) ** 2, facecolors="none", edgecolors=style.RED, linewidths=1.8, zorder=7)


def _dots(ax: Axes, scene: _Scene, spots: Mapping[int, Spot]) -> None:
    """Worse ones first, so that the best are never hidden; hollow where there is no fitness."""
    fitness = {i: scene.lines[i].summary.fitness for i in spots}
    hollow = [spots[i] for i, value in fitness.items() if value is None]
    if hollow:
        xs, ys = zip(*hollow, strict=True)
        size = (0.8 * scene.dot) ** 2
        ax.scatter(xs, ys, s=size, facecolors="white", edgecolors=style.GREY, linewidths=0.6, zorder=3)
    filled = sorted((value, i) for i, value in fitness.items() if value is not None)
    if filled and scene.colours is not None:
        xs, ys = zip(*(spots[i] for _, i in filled), strict=True)
        colours = scene.colours.fill([value for value, _ in filled])
        ax.scatter(xs, ys, s=scene.dot**2, c=colours, edgecolors="#555555", linewidths=0.15, zorder=4)


def _roots(ax: Axes, scene: _Scene, spots: Mapping[int, Spot]) -> None:
    """Diamonds, whose names stand in a legend, because there may be no room beside them."""
    for place, index in enumerate(scene.plan.roots):
        ax.scatter(
            *spots[index],
            s=55,
            marker="D",
            facecolors=style.BASELINES[place % len(style.BASELINES)],
            edgecolors="white",
            linewidths=0.8,
            zorder=6,
            label=style.plain(scene.lines[index].summary.name[:40]),
        )


def _legend(ax: Axes, scene: _Scene, corner: tuple[float, float], *, columns: int) -> None:
    """`corner` is the upper left one in layers, the lower left one in the circle, whose corners are free."""
    if len(scene.plan.roots) <= _NAMED:
        side = "upper left" if corner[1] < 0 else "lower left"
        ax.legend(loc=side, bbox_to_anchor=corner, ncols=columns, fontsize=8.5, frameon=False, borderaxespad=0.2)


def _finish(figure: Figure, ax: Axes, scene: _Scene) -> None:
    roots = "the root" if len(scene.plan.roots) == 1 else f"{len(scene.plan.roots)} roots"
    title = f"{plural(len(scene.nodes), 'experiment')}, {plural(scene.plan.depth, 'generation')} below {roots}"
    if scene.path:
        best = scene.lines[scene.path[-1]].summary
        title += f"\nbest: {style.plain(best.name[:60])} #{best.index} ({number(best.fitness)}), with the ring"
    ax.set_title(title, loc="left", fontsize=style.TITLE, color=style.INK)
    if scene.colours is not None:
        colour.bar(figure, ax, scene.colours, scene.word)
