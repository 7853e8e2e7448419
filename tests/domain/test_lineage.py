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


def test_a_tree_grows_without_being_read_again_and_the_old_one_stays() -> None:
    nodes = [_node(0, None), _node(1, 0), _node(2, 1), _node(3, 0), _node(4, 1)]
    small = Lineage(nodes[:2])
    late = Lineage([nodes[0], nodes[1], nodes[3]])
    for grown, whole in ((small.grown([nodes[4], nodes[2]]), [0, 1, 2, 4]), (late.grown([nodes[2]]), [0, 1, 2, 3])):
        again = Lineage(nodes[i] for i in whole)
        assert list(grown.nodes.items()) == list(again.nodes.items())
        assert [grown.children(i) for i in whole] == [again.children(i) for i in whole]
    changed = late.grown([nodes[3]._replace(fitness=0.5)])
    assert (changed.nodes[3].fitness, changed.children(0)) == (0.5, [1, 3])
    assert (list(small.nodes), small.children(1), late.nodes[3].fitness) == ([0, 1], [], None)
