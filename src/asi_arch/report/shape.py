"""How a lineage is grown, in four numbers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from asi_arch.domain.lineage import Lineage
from asi_arch.report.words import plural


class Shape(NamedTuple):
    """Of a whole tree of experiments."""

    roots: int
    parents: int
    """How many have a child."""
    depth: int
    """Steps from a root to the furthest descendant."""
    most_children: int
    """Of one parent."""


def shape_of(lineage: Lineage) -> Shape:
    """In one walk from the roots down, so that a long line costs no more than a bushy tree."""
    level, depth, parents, most = lineage.roots, 0, 0, 0
    roots = len(level)
    while level:
        families = [children for index in level if (children := lineage.children(index))]
        parents += len(families)
        most = max([most, *map(len, families)])
        level = [child for children in families for child in children]
        depth += bool(level)
    return Shape(roots, parents, depth, most)


def shape_text(shape: Mapping[str, Any]) -> str:
    """'1 root, 79 parents, at most 213 children of one, 11 steps deep'."""
    parts = [plural(shape["roots"], "root"), plural(shape["parents"], "parent")]
    parts.append(f"at most {shape['most_children']:,} children of one" if shape["parents"] else "no children")
    return ", ".join([*parts, f"{plural(shape['depth'], 'step')} deep"])
