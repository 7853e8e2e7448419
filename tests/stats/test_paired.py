import math
import warnings
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from asi_arch.domain.errors import UserError
from asi_arch.stats.paired import (
    Noise,
    mean_interval,
    paired_comparison,
    pooled_noise,
    pooled_std,
    screening_difference,
)

finite = st.floats(-5, 5, allow_nan=False)
pairs = st.lists(st.tuples(finite, finite), min_size=2, max_size=12)


def compare(candidate, reference, **options):
    return paired_comparison(
        candidate, reference, seeds=range(len(candidate)), baseline="delta_net", quantity="language loss", **options
    )


def test_it_agrees_with_the_textbook_paired_t_test():
    candidate, reference = [1.61, 1.58, 1.60, 1.63], [1.66, 1.65, 1.64, 1.69]
    found, expected = compare(candidate, reference), scipy_stats.ttest_rel(candidate, reference)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.candidate_mean == pytest.approx(1.605)
    assert found.baseline_mean == pytest.approx(1.66)


@given(pairs)
def test_the_interval_holds_its_estimate_and_excludes_zero_only_where_p_is_small(values):
    candidate, reference = zip(*values, strict=True)
    found = compare(candidate, reference)
    interval = found.difference
    assert interval.low <= interval.estimate <= interval.high
    assert 0 <= found.p_value <= 1
    if abs(found.p_value - 0.05) > 1e-6:
        assert (interval.low <= 0 <= interval.high) == (found.p_value > 0.05)


@given(pairs)
def test_swapping_the_two_sides_turns_the_sign_and_nothing_else(values):
    candidate, reference = zip(*values, strict=True)
    there, back = compare(candidate, reference), compare(reference, candidate)
    assert back.difference.estimate == pytest.approx(-there.difference.estimate)
    assert back.p_value == pytest.approx(there.p_value)


@pytest.mark.parametrize("seeds", [0, 1])
def test_fewer_than_two_seeds_are_refused_with_the_number_that_is_needed(seeds):
    with pytest.raises(UserError, match=rf"at least 2 seeds, got {seeds}"):
        compare([1.0] * seeds, [1.0] * seeds)


def test_values_that_do_not_pair_up_are_refused():
    with pytest.raises(UserError, match="3 seeds, 2 of the candidate, 3 of the baseline"):
        paired_comparison([1, 2], [1, 2, 3], seeds=(0, 1, 2), baseline="b", quantity="q")


def test_a_value_that_is_not_finite_is_refused():
    with pytest.raises(UserError, match="finite"):
        compare([1.0, math.nan], [1.0, 1.0])


def test_equal_values_give_no_difference_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare([0.4, 0.7], [0.4, 0.7])
    assert (found.difference.low, found.difference.high, found.p_value) == (0, 0, 1)


@pytest.mark.parametrize(("seeds", "reaches_zero"), [(2, True), (5, True), (6, False)])
def test_equal_differences_count_as_signs_only(seeds, reaches_zero):
    reference = [0.1 * i for i in range(seeds)]
    found = compare([value + 0.3 for value in reference], reference)
    assert found.p_value == pytest.approx(2.0 ** (1 - seeds))
    assert (found.difference.low <= 1e-12) is reaches_zero


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng, hits = Random(7), 0
    for _ in range(2000):
        reference = [rng.gauss(1.6, 0.02) for _ in range(4)]
        candidate = [value - 0.03 + rng.gauss(0, 0.01) for value in reference]
        interval = compare(candidate, reference).difference
        hits += interval.low <= -0.03 <= interval.high
    assert 0.935 <= hits / 2000 <= 0.965


def test_a_baseline_under_another_name_is_seldom_promoted():
    rng = Random(8)
    p_values = [
        compare([rng.gauss(1.6, 0.01) for _ in range(3)], [rng.gauss(1.6, 0.01) for _ in range(3)]).p_value
        for _ in range(2000)
    ]
    assert 0.035 <= sum(p < 0.05 for p in p_values) / 2000 <= 0.065


def test_pooled_noise_is_the_root_of_the_mean_variance():
    noise = pooled_noise([[1.0, 3.0], [10.0, 10.0], [5.0], []])
    assert noise == Noise(pytest.approx(1.0), 2)
    assert pooled_std([[1.0, 3.0], [10.0, 10.0]]) == pytest.approx(1.0)


@pytest.mark.parametrize("groups", [[], [[1.0]], [[1.0], [2.0]]])
def test_noise_is_unknown_before_a_model_has_two_values(groups):
    assert pooled_noise(groups) is None
    assert pooled_std(groups) is None


@given(st.lists(st.lists(finite, min_size=2, max_size=5), min_size=1, max_size=6), finite)
def test_pooled_noise_does_not_depend_on_how_good_the_models_are(groups, shift):
    shifted = [[value + shift * i for value in group] for i, group in enumerate(groups)]
    assert pooled_std(shifted) == pytest.approx(pooled_std(groups), abs=1e-6)


def test_screening_intervals_cover_the_truth_with_two_seeds():
    rng, hits = Random(9), 0
    for _ in range(500):
        models = [[rng.gauss(mean, 0.01) for _ in range(2)] for mean in (1.55, 1.6, 1.7, 1.8, 1.66, 1.62)]
        noise = pooled_noise(models)
        assert noise is not None
        interval = screening_difference(models[0], models[1], noise)
        hits += interval.low <= -0.05 <= interval.high
    assert 0.925 <= hits / 500 <= 0.975


def test_more_seeds_give_a_narrower_mean():
    noise = Noise(0.01, 10)
    two, eight = mean_interval([1.0] * 2, noise), mean_interval([1.0] * 8, noise)
    assert (two.high - two.low) == pytest.approx(2 * (eight.high - eight.low))
    assert two.estimate == 1.0
