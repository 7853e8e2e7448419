import itertools
import math
from random import Random

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.report.tree_layout import LEAF, PARENT, layout


def lineage(parents):
    """Node i with the given parent; roots are baselines."""
    return Lineage(
        Summary(i, f"s{i}", p, f"n{i}", Author.BASELINE if p is None else Author.COMPOSER, "measured", 1, 1, 1, 1, 0.5)
        for i, p in enumerate(parents)
    )


def random_parents(size, seed=0):
    rng = Random(seed)
    return [None, None, *(rng.randrange(max(1, i // 4)) for i in range(2, size))]


def test_an_empty_tree_has_no_places():
    assert layout(lineage([])).places == {}


def test_a_small_tree_stands_in_columns_with_parents_amid_their_children():
    plan = layout(lineage([None, 0, 0, 0, 2]))
    assert not plan.is_discs
    assert [plan.places[i].x for i in range(5)] == [0, 1, 1, 1, 2]
    assert plan.places[0].y == plan.places[2].y
    assert plan.places[1].y > plan.places[2].y > plan.places[3].y


@pytest.mark.parametrize("size", [71, 400, 2000])
def test_every_node_of_a_large_tree_has_its_place_and_none_touches_another(size):
    tree = lineage(random_parents(size))
    plan = layout(tree)
    assert plan.is_discs
    assert set(plan.places) == set(tree.nodes)
    radius = {i: PARENT if i in plan.radii else LEAF for i in plan.places}
    cells = {}
    for i, place in plan.places.items():
        cells.setdefault((int(place.x // 2), int(place.y // 2)), []).append(i)
    for (column, row), members in cells.items():
        near = [i for dx, dy in itertools.product((-1, 0, 1), repeat=2) for i in cells.get((column + dx, row + dy), [])]
        for i, j in itertools.product(members, near):
            if i < j:
                assert math.dist(plan.places[i], plan.places[j]) > 0.95 * (radius[i] + radius[j])


def test_a_chain_deeper_than_pythons_recursion_limit_is_laid_out():
    plan = layout(lineage([None, *range(3000)]))
    assert plan.generations == 3000
    assert len(plan.places) == 3001


def test_inventions_from_nothing_share_one_disc():
    nodes = [Summary(i, f"s{i}", None, f"n{i}", Author.COMPOSER, "measured", 1, 1, 1, 1, 0.5) for i in range(100)]
    plan = layout(Lineage(nodes))
    assert len(set(plan.places.values())) == 100
    assert max(math.dist(p, plan.places[0]) for p in plan.places.values()) < 2 * math.sqrt(100)
