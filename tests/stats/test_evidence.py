import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import nct, norm
from scipy.stats import t as student

from asi_arch.stats.evidence import always_valid_p, e_value

finite = st.floats(-5, 5, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


def test_it_is_the_density_ratio_of_the_t_statistic():
    values, scale = [0.3, 1.1, -0.2, 0.8, 0.9], 0.7
    n = len(values)
    t = np.mean(values) / (np.std(values, ddof=1) / math.sqrt(n))
    mixture, _ = quad(lambda d: nct.pdf(t, n - 1, d * math.sqrt(n)) * norm.pdf(d, scale=scale), -6, 6)
    assert e_value(values, scale=scale) == pytest.approx(mixture / student.pdf(t, n - 1), rel=1e-6)


@given(st.lists(finite, min_size=1, max_size=12), st.floats(0.01, 100))
def test_units_do_not_matter(values, factor):
    assert e_value([factor * x for x in values]) == pytest.approx(e_value(values), rel=1e-6)


@given(finite)
def test_one_difference_says_nothing(value):
    assert e_value([value]) == pytest.approx(1.0)
    assert e_value([]) == 1.0


def test_steady_differences_are_strong_evidence():
    assert e_value([-0.03, -0.028, -0.035, -0.031, -0.029, -0.033]) > 20
    assert e_value([0.03, -0.028, 0.035, -0.031, 0.029, -0.033]) < 1


def test_stopping_at_the_best_moment_misleads_no_more_often_than_promised():
    x = np.random.default_rng(0).standard_normal((4000, 60))
    n = np.arange(1, 61)
    squares, totals = np.cumsum(x**2, axis=1), np.cumsum(x, axis=1)
    e = (squares / (squares - totals**2 / (1 + n))) ** (n / 2) / np.sqrt(1 + n)
    assert e[0, 9] == pytest.approx(e_value(x[0, :10].tolist()))
    assert np.mean(e.max(axis=1) >= 20) <= 0.05
    n, squares, totals = n[1:], squares[:, 1:], totals[:, 1:]
    t = totals / np.sqrt(n * (squares - totals**2 / n) / (n - 1))
    watched = 2 * student.sf(np.abs(t), n - 1)
    assert np.mean(watched.min(axis=1) < 0.05) > 0.3


def test_the_always_valid_p_never_rises_again():
    values = [-1.0, -1.1, -0.9, -1.05, 3.0, 2.0]
    found = [always_valid_p(values[:n]) for n in range(len(values) + 1)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1.0
    assert found[-1] == pytest.approx(1 / e_value(values[:4]))


def test_a_scale_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="positive, got 0"):
        e_value([1.0], scale=0)
