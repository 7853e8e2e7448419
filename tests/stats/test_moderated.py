import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import polygamma

from asi_arch.stats.moderated import (
    KnownVariance,
    Prior,
    moderated,
    prior_of,
    shared_noise,
    trigamma_inverse,
    variance_prior,
)
from asi_arch.stats.paired import paired_comparison


def compare(differences):
    return paired_comparison(
        differences,
        [0.0] * len(differences),
        seeds=range(len(differences)),
        baseline="delta_net",
        quantity="language loss",
    )


@given(st.floats(1e-9, 1e9))
def test_the_inverse_of_trigamma_undoes_it(value):
    assert float(polygamma(1, trigamma_inverse(value))) == pytest.approx(value, rel=1e-4)


def test_the_prior_of_drawn_variances_is_found_again():
    rng = np.random.default_rng(0)
    d0, s0, d = 8.0, 0.02, 5
    true = s0**2 * d0 / rng.chisquare(d0, 4000)
    seen = true * rng.chisquare(d, 4000) / d
    found = prior_of(seen.tolist(), [d] * 4000)
    assert found.degrees == pytest.approx(d0, rel=0.2)
    assert math.sqrt(found.variance) == pytest.approx(s0, rel=0.05)


def test_variances_that_differ_by_chance_alone_are_taken_for_equal():
    found = prior_of([1.0, 1.0, 1.0, 1.0], [5, 5, 5, 5])
    assert math.isinf(found.degrees)
    assert found.most_degrees == 20
    assert found.moderate(0.5, 5) == (found.variance, 20)


def test_variances_that_share_the_baselines_noise_are_worth_less():
    alone, shared = prior_of([1.0] * 5, [5] * 5), prior_of([1.0] * 5, [5] * 5, shared=0.25)
    assert shared.most_degrees == pytest.approx(alone.most_degrees / 2)


def test_moderation_lies_between_the_own_and_the_common_variance_and_never_below_the_own():
    prior = Prior(variance=4.0, degrees=5.0, most_degrees=100.0)
    assert prior.moderate(2.0, 5) == (3.0, 10.0)
    assert prior.moderate(9.0, 5) == (9.0, 10.0)
    assert Prior(4.0, 5.0, most_degrees=7.0).moderate(2.0, 5) == (3.0, 7.0)


def test_two_models_are_too_few_for_a_prior_and_the_comparison_stays():
    assert variance_prior([[1.0, 2.0], [1.0, 3.0]]) is None
    assert variance_prior([[1.0, 2.0], [1.0, 3.0], [2.0, 2.0]]) is None
    found = compare([-0.1, -0.2, -0.15])
    assert moderated(found, None) == found


def test_a_quiet_sample_of_four_gets_a_wider_interval_from_the_noise_of_the_others():
    rng = np.random.default_rng(2)
    lucky = compare([-0.0100, -0.0101, -0.0099, -0.0100])
    prior = variance_prior(rng.normal(0, 0.02, (8, 4)).tolist())
    found = moderated(lucky, prior)
    assert lucky.p_value < 0.001
    assert found.p_value > 0.05
    assert found.difference.low < 0 < found.difference.high
    assert found.degrees > 3


def test_equal_differences_are_judged_by_the_noise_of_the_others():
    prior = variance_prior(np.random.default_rng(3).normal(0, 0.02, (8, 4)).tolist())
    assert 0.05 < moderated(compare([-0.01] * 4), prior).p_value < 1


@pytest.mark.parametrize(("baseline", "expected"), [(0.0, 0.0), (1.0, 0.5), (10.0, 0.99)])
def test_the_baselines_share_of_the_noise_is_seen_in_the_correlation(baseline, expected):
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (20, 400)) - rng.normal(0, baseline, 400)
    assert shared_noise(values.tolist()) == pytest.approx(expected, abs=0.06)


def test_nothing_in_common_counts_as_everything_in_common():
    assert shared_noise([[1.0], [2.0]]) == 1.0
    assert shared_noise([[1.0, 1.0], [2.0, 2.0]]) == 1.0


@pytest.mark.parametrize("noise_of_baseline", [1.0, 2.3])
def test_equal_models_are_found_different_as_often_as_they_say(noise_of_baseline):
    rng, hits = np.random.default_rng(5), 0
    for _ in range(600):
        differences = rng.normal(0, 1, (6, 5)) - rng.normal(0, noise_of_baseline, 5)
        found = moderated(compare(differences[0].tolist()), variance_prior(differences.tolist()))
        hits += found.p_value < 0.05
    assert 0.02 <= hits / 600 <= 0.065


def test_it_finds_more_than_the_ordinary_test_at_four_seeds():
    rng, plain, better = np.random.default_rng(6), 0, 0
    for _ in range(300):
        differences = rng.normal(0, 1, (8, 4)) - rng.normal(0, 1, 4)
        differences[0] -= 2.0
        found = compare(differences[0].tolist())
        plain += found.p_value < 0.05
        better += moderated(found, variance_prior(differences.tolist())).p_value < 0.05
    assert better > 1.1 * plain


def test_a_known_variance_counts_as_one_model_more():
    groups = [[1.0, 2.0, 4.0], [1.0, 3.0, 2.0]]
    assert variance_prior(groups) is None
    small, large = (variance_prior(groups, [KnownVariance(variance, 40)]) for variance in (1.0, 9.0))
    assert small.variance < large.variance
    assert large.most_degrees > 10
    assert variance_prior(groups, [KnownVariance(0.0, 40)]) is None
    assert variance_prior(groups[:1], [KnownVariance(1.0, 40)] * 2) is None


def test_baselines_with_more_seeds_than_the_candidate_promise_no_more_than_they_hold():
    rng, hits, narrower = np.random.default_rng(7), 0, 0
    for _ in range(600):
        reference = rng.normal(0, 1, 8)
        others = [(rng.normal(0, 1, 8) - reference).tolist() for _ in range(6)]
        own = (rng.normal(0, 1, 4) - reference[:4]).tolist()
        found = moderated(compare(own), variance_prior([*others, own]))
        few = moderated(compare(own), variance_prior([*(other[:4] for other in others), own]))
        hits += found.p_value < 0.05
        narrower += found.degrees > few.degrees
    assert 0.02 <= hits / 600 <= 0.065
    assert narrower > 500
