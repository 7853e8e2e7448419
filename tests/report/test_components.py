from asi_arch.report.digest import digest
from asi_arch.report.figures.components import SHOWN, component_use, components, has_fittest
from asi_arch.report.fittest import groups
from asi_arch.testing.records import make_experiment, make_proposal


def made_of(index, *mechanisms):
    proposal = make_proposal(f"idea {index}", parent=0).model_copy(update={"mechanisms": mechanisms})
    return make_experiment(index, proposal)


def test_shares_are_of_the_fittest_half_and_of_the_rest(store_of):
    experiments = [made_of(1, "a", "b"), made_of(3, "a", "a"), made_of(4, "b"), made_of(5, "c"), made_of(6, "c")]
    campaign = digest(store_of(*experiments, fitness={1: 0.9, 3: 0.8, 4: 0.7, 5: 0.6}))
    fittest, rest = groups(campaign)
    assert [line.summary.index for line in fittest] == [1, 3]
    assert [line.summary.index for line in rest] == [4, 5, 6]
    found = {component.name: (component.fittest, component.rest, component.uses) for component in components(campaign)}
    assert found == {"a": (1.0, 0.0, 2), "b": (0.5, 1 / 3, 2), "c": (0.0, 2 / 3, 2)}


def test_the_most_used_come_first_and_the_rest_is_counted(store_of):
    many = [f"m{number:02d}" for number in range(SHOWN + 3)]
    experiments = [made_of(1, *many), made_of(3, "m05")]
    campaign = digest(store_of(*experiments, fitness={1: 0.9, 3: 0.8}))
    assert [component.name for component in components(campaign)][:2] == ["m05", "m00"]
    (ax,) = component_use(campaign).axes
    assert len(ax.get_yticklabels()) == SHOWN
    assert "3 rarer ones not shown" in ax.get_xlabel()


def test_without_two_that_have_a_fitness_there_is_nothing_to_set_apart(store_of):
    assert not has_fittest(digest(store_of(made_of(1, "a"), made_of(3, "a"), fitness={1: 0.9})))
    assert not has_fittest(digest(store_of(made_of(1), made_of(3), fitness={1: 0.9, 3: 0.8})))
    assert has_fittest(digest(store_of(made_of(1, "a"), made_of(3), fitness={1: 0.9, 3: 0.8})))
