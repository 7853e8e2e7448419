import numpy as np
import pytest

from asi_arch.stats.simulation import Design, discoveries, false_promotions


def test_in_1773_trials_the_gates_find_most_of_what_the_screen_lets_through_and_almost_nothing_else():
    once, gates = discoveries(Design(), np.random.default_rng(0), campaigns=40)
    assert once.false > 500
    assert once.true > 16
    assert gates.false < 0.5
    assert gates.true > 8
    assert gates.false / (gates.false + gates.true) <= 0.1


def test_the_same_generator_simulates_the_same_campaigns():
    first, second = (discoveries(Design(trials=50), np.random.default_rng(4), campaigns=3) for _ in range(2))
    assert first == second


def test_where_nothing_is_better_few_campaigns_claim_that_something_is():
    _, gates = discoveries(Design(trials=100, true_share=0.0), np.random.default_rng(1), campaigns=300)
    assert gates.campaigns_misled <= 0.05


@pytest.mark.parametrize(("fresh_seeds", "others"), [(4, 3), (6, 3), (8, 0)])
def test_a_baseline_under_another_name_is_promoted_in_at_most_one_case_of_twenty(fresh_seeds, others):
    rng = np.random.default_rng(2)
    assert false_promotions(rng, verifications=500, fresh_seeds=fresh_seeds, others=others) <= 0.05


def test_three_seeds_promote_nothing():
    assert false_promotions(np.random.default_rng(3), verifications=50, fresh_seeds=3, others=3) == 0
