"""The tree of experiments."""

from collections.abc import Iterable

from asi_arch.domain.experiment import Summary


class Lineage:
    """Who descends from whom. Roots are the experiments without a parent (the baselines)."""

    def __init__(self, summaries: Iterable[Summary]) -> None:
        self.nodes: dict[int, Summary] = {summary.index: summary for summary in summaries}
        self._children: dict[int, list[int]] = {}
        for summary in self.nodes.values():
            if summary.parent is not None:
                self._children.setdefault(summary.parent, []).append(summary.index)

    def grown(self, summaries: Iterable[Summary]) -> "Lineage":
        """The same with these as well, by index, without reading it all again; this one stays as it is."""
        new = {summary.index: summary for summary in sorted(summaries, key=lambda s: s.index)}
        found = Lineage(())
        nodes = {**self.nodes, **new}
        is_in_order = not self.nodes or not new or min(new) > next(reversed(self.nodes))
        found.nodes = nodes if is_in_order else dict(sorted(nodes.items()))
        found._children = dict(self._children)
        for summary in new.values():
            if summary.parent is not None and summary.index not in self.nodes:
                found._children[summary.parent] = [*found._children.get(summary.parent, ()), summary.index]
        return found

    @property
    def roots(self) -> list[int]:
        """Experiments without a parent, or whose parent is not in the tree."""
        return [i for i, node in self.nodes.items() if node.parent is None or node.parent not in self.nodes]

    def children(self, index: int) -> list[int]:
        """Direct descendants, oldest first."""
        return sorted(self._children.get(index, []))

    def siblings(self, index: int) -> list[int]:
        """The parent's other children, oldest first."""
        parent = self.nodes[index].parent
        return [] if parent is None else [child for child in self.children(parent) if child != index]

    def path(self, index: int) -> list[int]:
        """From the root to `index`, both included."""
        path = [index]
        while (parent := self.nodes[path[-1]].parent) is not None and parent in self.nodes:
            path.append(parent)
        return path[::-1]

    def depth(self, index: int) -> int:
        """Number of steps from the root."""
        return len(self.path(index)) - 1
