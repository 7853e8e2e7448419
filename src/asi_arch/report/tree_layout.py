"""Places for the nodes of a tree: columns of single nodes when it is small, discs of siblings when it is large.

No drawing here. In large campaigns few experiments have children and these have many, so a node for each would be a
wall of lines: there, every parent stands in the middle of a disc of those of its children that have none themselves.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from asi_arch.domain.candidate import Author
from asi_arch.domain.lineage import Lineage

MOST_SINGLE, DEEPEST_SINGLE = 70, 8
"""Trees with more nodes or generations than this are drawn as discs."""
LEAF, PARENT = 0.58, 0.9
"""Radii of nodes in a disc layout, small enough not to touch."""
_GOLDEN = math.pi * (3 - math.sqrt(5))
_GAP = 2.2
_MIDDLE = 2.3
"""Seeds that a parent takes the room of."""


class Place(NamedTuple):
    """Where a node is drawn."""

    x: float
    y: float


class Layout(NamedTuple):
    """Places by index. Two units apart are two places apart, in both directions."""

    places: Mapping[int, Place]
    is_discs: bool
    generations: int
    radii: Mapping[int, float]
    """Radius of the disc around every parent; empty for columns."""


def layout(lineage: Lineage) -> Layout:
    """Generations go from left to right, children from top to bottom, oldest first."""
    depths = generations(lineage)
    deepest = max(depths.values(), default=0)
    if len(lineage.nodes) <= MOST_SINGLE and deepest <= DEEPEST_SINGLE:
        rows = _rows(lineage)
        return Layout({i: Place(depths[i], -row) for i, row in rows.items()}, False, deepest, {})
    places, radii = _discs(lineage)
    return Layout(places, True, deepest, radii)


def generations(lineage: Lineage) -> dict[int, int]:
    """Number of steps from the root, by index; parents come before their children."""
    depths = dict.fromkeys(sorted(lineage.roots), 0)
    queue = list(depths)
    for index in queue:
        children = lineage.children(index)
        depths.update(dict.fromkeys(children, depths[index] + 1))
        queue += children
    return depths


def _rows(lineage: Lineage) -> dict[int, float]:
    """A leaf takes the next free row, a parent the middle of its children. For trees that are not deep."""
    rows: dict[int, float] = {}

    def walk(index: int, free: int) -> int:
        children = lineage.children(index)
        for child in children:
            free = walk(child, free)
        rows[index] = (rows[children[0]] + rows[children[-1]]) / 2 if children else float(free)
        return free if children else free + 1

    free = 0
    for root in sorted(lineage.roots):
        free = walk(root, free)
    return rows


class _Band(NamedTuple):
    """A parent with its disc, and the height that it and its descendants take."""

    leaves: list[int]
    heirs: list[int]
    """Children that have children."""
    radius: float
    height: float


def _discs(lineage: Lineage) -> tuple[dict[int, Place], dict[int, float]]:
    """Every subtree has a band of its own, so discs never overlap."""
    bands = _bands(lineage)
    places: dict[int, Place] = {}
    tops = [i for i in sorted(lineage.roots) if i in bands]
    top = _inventions_from_nothing(lineage, places)
    stack: list[tuple[int, float, float]] = []
    for root in tops:
        stack.append((root, bands[root].radius, top))
        top -= bands[root].height
    while stack:
        index, x, upper = stack.pop()
        band = bands[index]
        places[index] = Place(x, upper - band.height / 2)
        _fill(places, band.leaves, places[index], first=_MIDDLE)
        upper -= (band.height - sum(bands[heir].height for heir in band.heirs)) / 2
        for heir in band.heirs:
            stack.append((heir, x + band.radius + _GAP + bands[heir].radius, upper))
            upper -= bands[heir].height
    return places, {index: band.radius for index, band in bands.items()}


def _bands(lineage: Lineage) -> dict[int, _Band]:
    """Of every parent and every baseline, by index."""
    bands: dict[int, _Band] = {}
    for index in reversed(list(generations(lineage))):
        children = lineage.children(index)
        if not children and lineage.nodes[index].author is not Author.BASELINE:
            continue
        heirs = [child for child in children if child in bands]
        leaves = [child for child in children if child not in bands]
        radius = math.sqrt(len(leaves) + _MIDDLE) + LEAF if leaves else PARENT
        height = max(2 * radius + 2, sum(bands[heir].height for heir in heirs))
        bands[index] = _Band(leaves, heirs, radius, height)
    return bands


def _inventions_from_nothing(lineage: Lineage, places: dict[int, Place]) -> float:
    """Childless roots (the random policy has no others) share one disc at the top; returns where it ends."""
    alone = [i for i in sorted(lineage.roots) if not lineage.children(i)]
    alone = [i for i in alone if lineage.nodes[i].author is not Author.BASELINE]
    radius = math.sqrt(len(alone) + 0.6) + LEAF
    _fill(places, alone, Place(radius, -radius), first=0.6)
    return -2 * radius - 2 if alone else 0.0


def _fill(places: dict[int, Place], leaves: list[int], centre: Place, *, first: float) -> None:
    """Seeds of a sunflower: even, whatever their number. `first` leaves room for the parent in the middle."""
    for seed, leaf in enumerate(leaves):
        distance, angle = math.sqrt(seed + first), math.pi / 2 + seed * _GOLDEN
        places[leaf] = Place(centre.x + distance * math.cos(angle), centre.y + distance * math.sin(angle))
