from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.stats.shrinkage import shrunken

finite = st.floats(-5, 5, allow_nan=False)


@given(finite, st.floats(0, 2), st.lists(finite, min_size=3, max_size=20))
def test_it_lies_between_the_estimate_and_the_mean_of_all(estimate, error, population):
    value = shrunken(estimate, error, population=population).estimate
    mean = sum(population) / len(population)
    assert min(estimate, mean) - 1e-9 <= value <= max(estimate, mean) + 1e-9


def test_without_error_nothing_is_shrunk():
    assert shrunken(1.0, 0.0, population=[1.0, 2.0, 3.0]).estimate == 1.0


def test_equal_estimates_without_error_stay():
    assert shrunken(1.0, 0.0, population=[1.0, 1.0, 1.0]).estimate == 1.0


def test_where_noise_explains_all_differences_everything_is_the_mean():
    found = shrunken(1.0, 5.0, population=[1.0, 2.0, 3.0])
    assert found.estimate == pytest.approx(2.0)
    assert found.low == found.high == found.estimate


def test_two_candidates_are_too_few_to_shrink():
    assert shrunken(1.0, 0.5, population=[1.0, 3.0]).estimate == 1.0


def test_it_takes_the_luck_out_of_the_winner():
    rng, raw, shrunk = Random(5), 0.0, 0.0
    for _ in range(200):
        truths = [rng.gauss(1.6, 0.02) for _ in range(40)]
        seen = [truth + rng.gauss(0, 0.02) for truth in truths]
        best = min(range(40), key=seen.__getitem__)
        raw += seen[best] - truths[best]
        shrunk += shrunken(seen[best], 0.02, population=seen).estimate - truths[best]
    assert raw / 200 < -0.02
    assert abs(shrunk / 200) < 0.004


def test_a_negative_error_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        shrunken(1.0, -0.1, population=[])
