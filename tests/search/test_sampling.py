from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.profile import Policy, SearchSpec
from asi_arch.search.sampling import Choice, Sampler, Schedule

NAMES = ("delta_net", "linear_attention", "gated_delta_net")
PAPER = SearchSpec(baselines=NAMES)
SMALL = SearchSpec(
    baselines=NAMES,
    pool_size=8,
    parent_ranks=(1, 3),
    reference_ranks=(4, 8),
    references=2,
    cold_start=6,
    update_every=4,
)


def pool(size):
    """Best first; the experiment of rank r has the index 100 + r."""
    return [
        Summary(101 + i, f"s{i}", 0, f"n{i}", Author.COMPOSER, "measured", 1.6, 0.5, 0.5, 0.5, 0.9 - i / 1000)
        for i in range(size)
    ]


def choices(spec, size, *, index=500, count=4000):
    sampler, rng = Sampler(spec), Random(1)
    return [sampler.choose(index, pool(size), [0, 2, 4], rng) for _ in range(count)]


def test_baselines_take_turns_with_inventions_until_all_are_placed():
    schedule = Schedule(SMALL)
    assert [schedule.baseline_at(i) for i in range(8)] == [NAMES[0], None, NAMES[1], None, NAMES[2], None, None, None]


def test_an_experiment_knows_the_baselines_before_it():
    schedule = Schedule(SMALL)
    assert schedule.baselines_below(0) == {}
    assert schedule.baselines_below(3) == {0: "delta_net", 2: "linear_attention"}
    assert schedule.baselines_below(9) == {0: "delta_net", 2: "linear_attention", 4: "gated_delta_net"}


def test_the_view_is_closed_in_the_cold_start_and_refreshed_in_batches():
    schedule = Schedule(SMALL)
    assert [schedule.snapshot(i) for i in range(15)] == [0] * 6 + [6] * 4 + [10] * 4 + [14]


@given(st.integers(0, 5000), st.integers(2, 300), st.integers(1, 60))
def test_no_experiment_sees_itself_or_a_later_one(index, cold_start, update_every):
    spec = SearchSpec(baselines=("linear_attention",), cold_start=cold_start, update_every=update_every)
    schedule = Schedule(spec)
    assert schedule.snapshot(index) <= index
    assert schedule.snapshot(index) <= schedule.snapshot(index + 1)


def test_parents_come_evenly_from_their_ranks_and_references_from_theirs():
    found = choices(PAPER, 50)
    parents = Counter(choice.parent for choice in found)
    references = Counter(i for choice in found for i in choice.references)
    assert set(parents) == set(range(101, 111))
    assert set(references) == set(range(111, 151))
    assert max(parents.values()) / min(parents.values()) < 1.4
    assert max(references.values()) / min(references.values()) < 1.4
    assert all(len(set(choice.references)) == 4 for choice in found)


def test_greedy_always_takes_the_best():
    found = choices(PAPER.model_copy(update={"policy": Policy.GREEDY}), 50, count=50)
    assert {choice.parent for choice in found} == {101}
    assert all(min(choice.references) >= 111 for choice in found)


@pytest.mark.parametrize("index", [1, 500])
def test_random_looks_at_nothing(index):
    assert set(choices(PAPER.model_copy(update={"policy": Policy.RANDOM}), 50, index=index, count=20)) == {
        Choice(None, ())
    }


def test_the_same_seed_makes_the_same_choice():
    assert choices(PAPER, 50, count=30) == choices(PAPER, 50, count=30)


@given(st.integers(1, 60), st.integers(0, 10_000))
def test_a_small_pool_still_gives_distinct_relatives(size, seed):
    choice = Sampler(PAPER).choose(500, pool(size), [0], Random(seed))
    family = [choice.parent, *choice.references]
    assert len(set(family)) == len(family)
    assert set(family) <= {summary.index for summary in pool(size)}
    assert len(choice.references) == min(4, size - 1)


def test_references_are_filled_from_other_ranks_only_where_theirs_run_out():
    for choice in choices(PAPER, 12, count=200):
        assert {111, 112} <= set(choice.references)


def test_ranks_that_do_not_exist_leave_the_last_one():
    spec = SMALL.model_copy(update={"parent_ranks": (5, 8)})
    assert {choice.parent for choice in choices(spec, 3, count=50)} == {103}


def test_in_the_cold_start_parents_are_baselines_with_a_lower_index():
    found = choices(SMALL, 8, index=3, count=200)
    assert {choice.parent for choice in found} == {0, 2}
    assert {choice.references for choice in found if choice.parent == 0} == {(2,)}


def test_where_nothing_has_a_fitness_baselines_are_parents_again():
    unscored = [summary._replace(fitness=None) for summary in pool(5)]
    choice = Sampler(SMALL).choose(50, unscored, [0, 2, 4], Random(0))
    assert choice.parent in {0, 2, 4}
    assert set(choice.references) == {0, 2, 4} - {choice.parent}


def test_without_any_baseline_the_design_starts_from_nothing():
    assert Sampler(SMALL).choose(1, [], [], Random(0)) == Choice(None, ())


def test_experiments_without_fitness_are_never_chosen():
    mixed = [*pool(3), pool(4)[3]._replace(fitness=None)]
    sampler, rng = Sampler(SMALL), Random(2)
    found = [sampler.choose(50, mixed, [0], rng) for _ in range(200)]
    seen = {i for choice in found for i in (choice.parent, *choice.references)}
    assert seen == {101, 102, 103}
