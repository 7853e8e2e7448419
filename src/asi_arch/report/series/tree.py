"""Places for the nodes of a tree of thousands: a layered and a radial layout, both in units from 0 to 1.

Every leaf takes the same share of the height, or of the full turn; a parent stands in the middle of its leaves.
Children come in the order of their numbers, so equal trees have equal layouts. Linear in the number of nodes but for
sorting siblings; of any depth.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from asi_arch.domain.lineage import Lineage
from asi_arch.report.digest import Digest


class Spot(NamedTuple):
    """A place in the unit square, y upwards."""

    x: float
    y: float


class TreeNode(NamedTuple):
    """One experiment in the tree."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    parent: int | None
    """None for a root, also where its parent is not in the tree."""
    depth: int
    """Steps from the root."""
    leaves: int
    """Of its subtree; 1 for a leaf itself."""
    layered: Spot
    """x by depth (roots on the left, at 0), y by leaf order, the first at the top."""
    radial: Spot
    """Roots in the middle, distance by depth, angle by leaf order, clockwise from the top."""
    angle: float
    """Of `radial`, in radians, anticlockwise from the x axis."""


class TreeLayout(NamedTuple):
    """All nodes that descend from a root, parents before their children."""

    nodes: tuple[TreeNode, ...]
    roots: tuple[int, ...]
    depth: int
    """Of the deepest."""
    leaves: int
    rings: tuple[float, ...]
    """Distance from the middle of the radial layout by depth: rising, and more so where a generation is large."""


def tree_layout(campaign: Digest) -> TreeLayout:
    """Of all experiments."""
    return lay_out(Lineage(line.summary for line in campaign.lines))


def lay_out(lineage: Lineage) -> TreeLayout:
    """Several roots share the middle of the radial layout as the children of one that is not there."""
    roots = sorted(lineage.roots)
    children = {index: lineage.children(index) for index in lineage.nodes}
    order, depths = _walk(roots, children)
    leaves = _leaves(order, children)
    total, deepest = sum(leaves[root] for root in roots), max(depths.values(), default=0)
    firsts = _first_leaves(roots, order, children, leaves)
    known = set(roots)
    rings = _rings(depths.values(), has_middle=len(roots) > 1)
    nodes: list[TreeNode] = []
    for index in order:
        middle = (firsts[index] + leaves[index] / 2) / total
        angle = math.pi / 2 - 2 * math.pi * middle
        radius = rings[depths[index]]
        nodes.append(
            TreeNode(
                index=index,
                parent=None if index in known else lineage.nodes[index].parent,
                depth=depths[index],
                leaves=leaves[index],
                layered=Spot(depths[index] / max(deepest, 1), 1 - middle),
                radial=Spot(0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)),
                angle=angle,
            )
        )
    return TreeLayout(tuple(nodes), tuple(roots), deepest, total, rings)


def _rings(depths: Iterable[int], *, has_middle: bool) -> tuple[float, ...]:
    """Room by the square root of a generation's size; several roots leave the middle free."""
    sizes = Counter(depths)
    if not sizes:
        return ()
    largest = max(sizes.values())
    steps = [0.35 + math.sqrt(sizes[depth] / largest) for depth in range(max(sizes) + 1)]
    if not has_middle:
        steps[0] = 0.0
    total = sum(steps) or 1.0
    return tuple(0.5 * sum(steps[: depth + 1]) / total for depth in range(len(steps)))


def _walk(roots: list[int], children: dict[int, list[int]]) -> tuple[list[int], dict[int, int]]:
    """Generation by generation."""
    depths = dict.fromkeys(roots, 0)
    order = list(roots)
    for index in order:
        depths.update(dict.fromkeys(children[index], depths[index] + 1))
        order += children[index]
    return order, depths


def _leaves(order: list[int], children: dict[int, list[int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for index in reversed(order):
        found[index] = sum(found[child] for child in children[index]) or 1
    return found


def _first_leaves(
    roots: list[int], order: list[int], children: dict[int, list[int]], leaves: dict[int, int]
) -> dict[int, int]:
    """How many leaves stand before those of each node."""
    found: dict[int, int] = {}
    free = 0
    for root in roots:
        found[root] = free
        free += leaves[root]
    for index in order:
        free = found[index]
        for child in children[index]:
            found[child] = free
            free += leaves[child]
    return found
