import math
from random import Random

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.report.digest import digest
from asi_arch.report.series.tree import lay_out, tree_layout


def lineage(parents):
    return Lineage(
        Summary(index, f"s{index}", parent, f"n{index}", Author.COMPOSER, "measured", None, None, None, None)
        for index, parent in parents.items()
    )


def test_parents_stand_in_the_middle_of_their_leaves():
    found = {node.index: node for node in lay_out(lineage({0: None, 1: 0, 2: 0, 3: 1, 4: 1})).nodes}
    assert [found[i].leaves for i in range(5)] == [3, 2, 1, 1, 1]
    assert [found[i].layered.x for i in range(5)] == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert found[1].layered.y == pytest.approx((found[3].layered.y + found[4].layered.y) / 2)
    assert found[3].layered.y > found[4].layered.y > found[2].layered.y
    assert found[0].radial == (0.5, 0.5)
    assert math.dist(found[3].radial, (0.5, 0.5)) == pytest.approx(0.5)


def test_several_roots_stand_around_the_middle():
    found = lay_out(lineage({0: None, 2: None, 3: 0, 7: 99}))
    assert found.roots == (0, 2, 7)
    spots = [node.radial for node in found.nodes if node.index in found.roots]
    assert len(set(spots)) == 3
    assert all(math.dist(spot, (0.5, 0.5)) == pytest.approx(found.rings[0]) for spot in spots)
    assert 0 < found.rings[0] < found.rings[1] == 0.5
    assert next(node for node in found.nodes if node.index == 7).parent is None


def test_no_two_nodes_of_a_large_tree_share_a_place():
    rng = Random(1)
    parents = {0: None, **{i: rng.randrange(max(0, i - 300), i) for i in range(1, 5000)}}
    found = lay_out(lineage(parents))
    for name in ("layered", "radial"):
        spots = {tuple(round(value, 9) for value in getattr(node, name)) for node in found.nodes}
        assert len(spots) == 5000
        assert all(-1e-9 <= value <= 1 + 1e-9 for spot in spots for value in spot)


def test_a_chain_of_any_depth_is_laid_out():
    found = lay_out(lineage({0: None, **{i: i - 1 for i in range(1, 5000)}}))
    assert (found.depth, found.leaves, found.nodes[-1].layered.x) == (4999, 1, 1.0)


def test_an_empty_campaign_has_an_empty_tree(young):
    found = tree_layout(digest(young))
    assert len(found.nodes) == len(young.summaries())
