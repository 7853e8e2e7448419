import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from asi_arch.domain.errors import UserError
from asi_arch.stats.power import power, seeds_needed


def test_without_a_difference_the_power_is_alpha():
    assert power(0.0, 1.0, 6) == pytest.approx(0.05)
    assert power(0.0, 1.0, 6, alpha=0.01) == pytest.approx(0.01)


def test_it_agrees_with_a_simulation():
    values = np.random.default_rng(0).normal(0.03, 0.02, (20_000, 6))
    t = values.mean(axis=1) / (values.std(axis=1, ddof=1) / np.sqrt(6))
    share = float(np.mean(np.abs(t) > stdtrit(5, 0.975)))
    assert power(0.03, 0.02, 6) == pytest.approx(share, abs=0.01)


@given(st.floats(0.01, 100), st.floats(0.01, 10), st.integers(2, 40))
def test_the_sign_does_not_matter_and_more_seeds_find_more(difference, noise, seeds):
    found = power(difference, noise, seeds)
    assert 0 <= found <= 1
    assert power(-difference, noise, seeds) == found
    assert power(difference, noise, seeds + 1) >= found - 1e-9


def test_the_fewest_seeds_reach_the_power_and_one_less_does_not():
    needed = seeds_needed(0.03, 0.02)
    assert power(0.03, 0.02, needed) >= 0.8 > power(0.03, 0.02, needed - 1)
    assert seeds_needed(100.0, 0.001, alpha=0.5) == 2
    assert seeds_needed(1e-6, 1.0) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power(1.0, 1.0, 1), "at least 2 seeds, got 1"),
        (lambda: power(1.0, 0.0, 4), "noise must be a positive number, got 0"),
        (lambda: power(1.0, 1.0, 4, alpha=1.0), "alpha must lie between 0 and 1, got 1"),
        (lambda: seeds_needed(1.0, 1.0, wanted=1.0), "power lies between 0 and 1, got 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(UserError, match=message):
        call()
