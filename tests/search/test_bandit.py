import itertools
import math
from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asi_arch.search.bandit import LONGEST_REST, Tally, planned, ranked, rated

GAINS = st.integers(0, 200).map(lambda thousandths: thousandths / 1000)
FACTS = st.tuples(
    st.integers(0, 60), st.integers(0, 9), st.lists(GAINS, max_size=9), st.floats(0.001, 5.0), st.floats(0.1, 500.0)
).filter(lambda facts: facts[0] + facts[1] > 0)
TALLIES = st.lists(FACTS, min_size=2, max_size=5).map(
    lambda members: [
        Tally(f"m{number}", answered + away, tuple(gains), usd, seconds, unanswered=away)
        for number, (answered, away, gains, usd, seconds) in enumerate(members)
    ]
)


class Arm:
    """A mind in a simulation: how often and by how much it gains, and what an answer of it costs."""

    def __init__(self, chance: float, gain: float, usd: float | None = 0.0, seconds: float = 10.0) -> None:
        self.chance, self.gain, self.usd, self.seconds = chance, gain, usd, seconds

    def pull(self, tally: Tally, rng: Random) -> Tally:
        gain = self.gain * rng.uniform(0.5, 1.5) if rng.random() < self.chance else 0.0
        usd = None if self.usd is None or tally.usd is None else tally.usd + self.usd
        return Tally(tally.member, tally.asked + 1, (*tally.gains, gain), usd, tally.seconds + self.seconds)


def simulated(arms: Mapping[str, Arm], count: int, start: Mapping[str, Tally] | None = None, seed: int = 0):
    """Who was asked, in order; each result is known before the next question."""
    tallies, rng, asked = dict(start or {name: Tally(name) for name in arms}), Random(seed), list[str]()
    for _ in range(count):
        asked.append(ranked(list(tallies.values()))[0])
        tallies[asked[-1]] = arms[asked[-1]].pull(tallies[asked[-1]], rng)
    return asked


def test_each_member_is_tried_once_first_in_the_order_of_the_settings() -> None:
    arms = {"a": Arm(1.0, 0.2), "b": Arm(0.0, 0.0), "c": Arm(0.1, 0.01)}
    assert simulated(arms, 3) == ["a", "b", "c"]
    assert planned([Tally(name) for name in arms], 6)[:3] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Arm(0.5, 0.05), Arm(0.1, 0.05)),
        (Arm(0.3, 0.05, seconds=5.0), Arm(0.3, 0.05, seconds=60.0)),
        (Arm(0.3, 0.05, usd=0.0), Arm(0.3, 0.05, usd=0.2)),
        (Arm(0.6, 0.08, usd=0.05, seconds=20.0), Arm(0.05, 0.02, usd=0.0, seconds=20.0)),
        (Arm(0.5, 0.05, usd=None), Arm(0.1, 0.05, usd=0.01)),
    ],
    ids=["gains more often", "is faster", "is free", "gains so much that it is worth its price", "has no known price"],
)
def test_who_gains_more_per_cost_is_chosen_more_and_more(better: Arm, worse: Arm) -> None:
    runs = [simulated({"worse": worse, "better": better}, 300, seed=seed) for seed in range(10)]
    first, last = (sum(Counter(run[begin : begin + 60])["better"] for run in runs) / 600 for begin in (0, 240))
    assert last > 0.8
    assert last >= first
    assert all(Counter(run)["worse"] >= 3 for run in runs), "nobody is given up for good"


@pytest.mark.parametrize("seed", range(5))
def test_an_unlucky_start_is_recovered_from(seed: int) -> None:
    arms = {"good": Arm(0.5, 0.05), "poor": Arm(0.1, 0.05)}
    start = {
        "good": Tally("good", 4, (0.0,) * 4, 0.0, 40.0),
        "poor": Tally("poor", 4, (0.05, 0.05, 0.0, 0.0), 0.0, 40.0),
    }
    assert ranked(list(start.values()))[0] == "poor"
    assert Counter(simulated(arms, 400, start, seed)[300:])["good"] > 60


@given(TALLIES, st.floats(1e-4, 1e4), st.floats(1e-4, 1e4), st.floats(0.01, 100.0))
def test_the_units_of_money_time_and_gain_do_not_matter(tallies, usd: float, seconds: float, gain: float) -> None:
    scaled = [
        t._replace(gains=tuple(gain * g for g in t.gains), usd=t.usd * usd, seconds=t.seconds * seconds)
        for t in tallies
    ]
    for one, other in zip(rated(tallies), rated(scaled), strict=True):
        assert other.index == pytest.approx(one.index, rel=1e-6)
        assert other.cost == pytest.approx(one.cost, rel=1e-6)


@given(TALLIES)
def test_the_same_history_gives_the_same_choice(tallies) -> None:
    assert ranked(tallies) == ranked([Tally(*tally) for tally in tallies])
    assert sorted(ranked(tallies)) == sorted(tally.member for tally in tallies)
    assert planned(tallies, 7)[0] == ranked(tallies)[0]


@given(TALLIES)
def test_costs_stay_within_bounds_so_that_nobody_is_priced_out(tallies) -> None:
    assert all(1.0 <= one.cost <= 1 + 2 * len(tallies) + 1e-9 for one in rated(tallies))
    assert all(math.isfinite(one.index) for one in rated(tallies))


@given(TALLIES, st.floats(0.001, 0.1))
def test_more_gain_never_lowers_a_mean_and_a_dearer_answer_never_raises_the_worth(tallies, more: float) -> None:
    first, *others = tallies
    dearer = first._replace(seconds=first.seconds * 2)
    assert rated([dearer, *others])[0].index <= rated(tallies)[0].index + 1e-9
    if first.gains:
        richer = first._replace(gains=tuple(gain + more for gain in first.gains))
        before, after = rated(tallies)[0].gain_per_cost, rated([richer, *others])[0].gain_per_cost
        assert before is not None
        assert after is not None
        assert after > before


def test_an_unknown_price_leaves_money_out_for_all_and_does_not_pass_for_a_low_one() -> None:
    known, unknown = Tally("known", 2, (0.1, 0.1), 4.0, 20.0), Tally("unknown", 2, (0.1, 0.1), None, 20.0)
    assert [one.cost for one in rated([known, unknown])] == [2.0, 2.0]
    assert [one.cost for one in rated([known, unknown._replace(usd=0.0)])] == [4.0, 2.0]


@settings(max_examples=30)
@given(st.integers(2, 5), st.integers(10, 60))
def test_a_batch_without_results_is_shared_out(members: int, count: int) -> None:
    asked = Counter(planned([Tally(f"m{number}") for number in range(members)], count))
    assert max(asked.values()) - min(asked.values()) <= 1


def test_what_was_asked_and_is_not_finished_leaves_the_mean_and_narrows_the_bound() -> None:
    other = Tally("other", 4, (0.0, 0.1, 0.0, 0.1), 0.0, 40.0)
    before, _ = rated([Tally("one", 4, (0.1, 0.0, 0.1, 0.0), 0.0, 40.0), other])
    after, _ = rated([Tally("one", 8, (0.1, 0.0, 0.1, 0.0), 0.0, 80.0), other])
    assert after.mean_gain == before.mean_gain
    assert after.index < before.index


def test_who_is_away_is_tried_more_and_more_rarely_and_back_at_once() -> None:
    there, away, tried = Tally("there"), Tally("away"), list[int]()
    for number in range(200):
        chosen = ranked([away, there])[0]
        if chosen == "away":
            tried.append(number)
            away = away._replace(asked=away.asked + 1, unanswered=away.unanswered + 1, away=away.away + 1, rested=0)
        else:
            away = away._replace(rested=away.rested + 1)
        # Who is passed over leaves the subject to the other one.
        there = Arm(0.1, 0.05).pull(there, Random(number))
    assert tried[:5] == [0, 3, 8, 17, 34]
    assert max(b - a for a, b in itertools.pairwise(tried)) <= LONGEST_REST + 1
    back = Arm(0.5, 0.05).pull(away._replace(away=0, rested=0), Random(0))
    assert not back.is_resting


def test_who_never_answered_is_no_cheaper_than_the_others() -> None:
    away, a, b = rated(
        [Tally("away", 3, (), 0.0, 0.1, unanswered=3), Tally("a", 4, (), 1.0, 8.0), Tally("b", 4, (), 3.0, 8.0)]
    )
    assert away.cost == pytest.approx((a.cost + b.cost) / 2)
    assert (a.cost, b.cost) == (2.5, 3.5)


def test_nobody_gives_nobody() -> None:
    assert (rated([]), ranked([]), planned([], 3)) == ([], [], [])
