import math

import numpy as np
import pytest
from scipy import stats

from asi_arch.stats.scaling import linear_fit, poisson_rate, power_law, rate_trend


@pytest.fixture
def points():
    rng = np.random.default_rng(3)
    xs = rng.uniform(0.5, 9.0, 40)
    return xs.tolist(), (1.5 + 0.7 * xs + rng.normal(0, 0.8, 40)).tolist()


def test_the_line_and_its_interval_are_scipys(points):
    found, known = linear_fit(*points), stats.linregress(*points)
    reach = stats.t.ppf(0.975, 38) * known.stderr
    assert (found.slope.estimate, found.intercept) == pytest.approx((known.slope, known.intercept))
    assert (found.slope.low, found.slope.high) == pytest.approx((known.slope - reach, known.slope + reach))
    assert found.r_squared == pytest.approx(known.rvalue**2)
    assert found.at(2.0) == pytest.approx(known.intercept + 2 * known.slope)


def test_the_exponent_is_the_slope_of_the_logarithms(points):
    xs, ys = points
    known = stats.linregress(np.log(xs), np.log(ys))
    found = power_law([0.0, *xs], [1.0, *ys])
    assert found.exponent.estimate == pytest.approx(known.slope)
    assert found.exponent.high - known.slope == pytest.approx(stats.t.ppf(0.975, 38) * known.stderr)
    assert found.points == 40
    assert power_law([1, 2, 4, 8], [3, 12, 48, 192]).at(3.0) == pytest.approx(27.0)


def test_too_little_has_no_line():
    assert linear_fit([1, 2], [1, 2]) is None
    assert linear_fit([2, 2, 2], [1, 2, 3]) is None
    assert power_law([0, 1, 2], [1, 2, 3]) is None
    with pytest.raises(ValueError, match="every x needs its y, got 2 and 3"):
        linear_fit([1, 2], [1, 2, 3])


def test_a_level_line_explains_everything():
    assert linear_fit([1, 2, 3], [5, 5, 5]).r_squared == 1.0


@pytest.mark.parametrize("events", [0, 1, 7, 120])
def test_the_rates_interval_is_exact(events):
    found = poisson_rate(events, 10.0)
    low, high = stats.chi2.ppf(0.025, 2 * events) / 20 if events else 0.0, stats.chi2.ppf(0.975, 2 * events + 2) / 20
    assert (found.estimate, found.low, found.high) == pytest.approx((events / 10, low, high))


def test_a_rate_needs_something_spent():
    with pytest.raises(ValueError, match="something spent"):
        poisson_rate(3, 0.0)


def test_the_trend_is_standard_normal_at_a_constant_rate():
    rng = np.random.default_rng(1)
    values = [rate_trend(rng.uniform(0, 5.0, 30).tolist(), 5.0) for _ in range(400)]
    assert np.mean(values) == pytest.approx(0.0, abs=0.2)
    assert np.std(values) == pytest.approx(1.0, abs=0.12)


def test_late_events_are_a_rising_rate():
    assert rate_trend([7, 8, 9, 9.5, 9.9], 10.0) > 2.5
    assert rate_trend([1, 1, 2, 3, 2], 10.0) < -2.0
    assert rate_trend([1, 2, 3], 10.0) is None
    assert math.isclose(rate_trend([5, 5, 5, 5], 10.0), 0.0)
