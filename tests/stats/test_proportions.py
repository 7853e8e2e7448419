import math

import pytest
from scipy import stats

from asi_arch.stats.proportions import share_ratio, wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (3, 20), (170, 400)])
def test_the_score_interval_is_scipys(successes, trials):
    known = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    found = wilson(successes, trials)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-12)
    assert found.estimate == successes / trials


def test_the_ratio_of_large_shares_is_katzs():
    known = stats.contingency.relative_risk(3000, 10_000, 1500, 10_000)
    interval = known.confidence_interval(0.95)
    found = share_ratio(3000, 10_000, 1500, 10_000)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (known.relative_risk, interval.low, interval.high), rel=1e-3
    )


def test_half_a_case_is_added_to_every_count():
    found = share_ratio(0, 10, 4, 40)
    assert found.estimate == pytest.approx((0.5 / 10.5) / (4.5 / 40.5))
    error = math.sqrt(1 / 0.5 - 1 / 10.5 + 1 / 4.5 - 1 / 40.5)
    assert math.log(found.high / found.estimate) == pytest.approx(1.959964 * error, rel=1e-6)
    assert found.low < 1 < found.high


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="got 3 of 2"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="got 0 of 0"):
        share_ratio(1, 2, 0, 0)
