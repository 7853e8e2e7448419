from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage


def _node(index: int, parent: int | None) -> Summary:
    return Summary(index, f"sha{index}", parent, f"n{index}", Author.COMPOSER, "measured", 1.0, 0.5, 0.5, 0.5)


def test_the_path_leads_from_the_root() -> None:
    tree = Lineage([_node(0, None), _node(1, 0), _node(2, 1), _node(3, 0), _node(4, None)])
    assert tree.path(2) == [0, 1, 2]
    assert (tree.depth(2), tree.depth(0)) == (2, 0)
    assert tree.roots == [0, 4]
    assert tree.children(0) == [1, 3]
    assert (tree.siblings(3), tree.siblings(0)) == ([1], [])
