from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from asi_arch.stats.multiplicity import q_values

probabilities = st.lists(st.floats(0, 1, allow_nan=False), max_size=30)


@given(probabilities.filter(len))
def test_it_agrees_with_scipy(p_values):
    assert q_values(p_values) == pytest.approx(tuple(false_discovery_control(p_values)))


@given(probabilities)
def test_q_is_never_below_p_and_keeps_the_order(p_values):
    found = q_values(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, found, strict=True))
    by_p = [q for _, q in sorted(zip(p_values, found, strict=True))]
    assert by_p == sorted(by_p)


def test_one_test_needs_no_correction():
    assert q_values([0.03]) == (0.03,)


def test_no_tests_have_no_values():
    assert q_values([]) == ()


def test_noise_alone_gives_almost_no_discovery():
    rng = Random(3)
    campaigns_with_a_find = sum(min(q_values([rng.random() for _ in range(200)])) <= 0.1 for _ in range(300))
    assert campaigns_with_a_find / 300 <= 0.15


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        q_values([0.5, bad])
