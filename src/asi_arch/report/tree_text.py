"""The lineage as a tree in the terminal: what fits there of a large or deep one, and what was left out."""

import math
from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from asi_arch.report import cells, imported_views
from asi_arch.report.cells import clean
from asi_arch.report.payload import TreePayload
from asi_arch.report.words import plural

_TREE_NODES = 400
"""A larger tree is shown without the leaves that have no fitness."""
_FITTEST = 60
"""So many, with their ancestors, are shown of a tree that is still larger then."""
_DEEPEST = 12
"""Steps from the root; what is deeper is not indented further, and says whose child it is."""


def tree_view(payload: TreePayload) -> RenderableType:
    """The lineage as a tree; the way to the best in bold.

    Large trees leave out leaves without a fitness, and still larger ones all but the fittest and their ancestors.
    """
    payload = clean(payload)
    nodes = {node["index"]: node for node in payload["nodes"]}
    if not nodes:
        return Text("no experiment is finished yet")
    path, shown = set(payload["best_path"]), _shown(nodes)
    line = imported_views.node if payload["origin"] else cells.node
    top = Tree(Text(f"{plural(len(nodes), 'experiment')}"), guide_style="dim")
    stack = [(index, top, 0) for index in reversed(payload["roots"]) if index in shown]
    while stack:
        index, branch, depth = stack.pop()
        node = nodes[index]
        text = line(node, is_best=index == payload["best"], is_on_path=index in path)
        if depth > _DEEPEST:
            text.append(f"  (child of #{node['parent']})", style="dim")
        grown = branch.add(text)
        below = grown if depth < _DEEPEST else branch
        stack += [(child, below, depth + 1) for child in reversed(node["children"]) if child in shown]
    return Group(top, Text(_left_out(nodes, shown), style="dim")) if len(shown) < len(nodes) else top


def _shown(nodes: Mapping[int, dict[str, Any]]) -> set[int]:
    """All of a small tree; of a large one those that matter, each with its ancestors."""
    if len(nodes) <= _TREE_NODES:
        return set(nodes)
    shown = {index for index, node in nodes.items() if node["fitness"] is not None or node["children"]}
    if len(shown) <= _TREE_NODES:
        return shown
    fittest = sorted(shown, key=lambda index: (-_rank(nodes[index]), index))[:_FITTEST]
    found: set[int] = set()
    for index in fittest:
        above: int | None = index
        while above is not None and above in nodes and above not in found:
            found.add(above)
            above = nodes[above]["parent"]
    return found


def _rank(node: Mapping[str, Any]) -> float:
    return -math.inf if node["fitness"] is None else node["fitness"]


def _left_out(nodes: Mapping[int, dict[str, Any]], shown: set[int]) -> str:
    hidden = [node for index, node in nodes.items() if index not in shown]
    if all(node["fitness"] is None and not node["children"] for node in hidden):
        return f"{plural(len(hidden), 'experiment')} without a fitness and without children left out"
    return f"Shown are the {_FITTEST} best and their ancestors; {plural(len(hidden), 'experiment')} more with --json"
