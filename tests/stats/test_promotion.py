import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.domain.verdict import BlindComparison, Comparison, Interval, Verdict
from asi_arch.stats.promotion import entrant_q_values, entrants, proportion, refusals, vault_refusals


def comparison(estimate=-0.03, margin=0.01, p_value=0.004, *, quantity="language loss", seeds=6, baseline="delta_net"):
    return Comparison(
        baseline=baseline,
        quantity=quantity,
        seeds=tuple(range(1000, 1000 + seeds)),
        difference=Interval(estimate=estimate, low=estimate - margin, high=estimate + margin),
        p_value=p_value,
        candidate_mean=1.6,
        baseline_mean=1.6 - estimate,
        differences=(estimate,) * seeds,
    )


def verdict(sha, *comparisons):
    return Verdict(sha=sha, index=1, protocol="p", comparisons=comparisons, statement="", vault_looks=1, at=0.0)


def test_a_clear_gain_without_a_loss_of_recall_is_a_discovery():
    recall = comparison(-0.01, 0.05, 0.6, quantity="recall accuracy")
    assert refusals([comparison(), recall], 0.02, 3) == []


@pytest.mark.parametrize(
    ("comparisons", "q", "reason"),
    [
        ([comparison(seeds=3)], 0.01, "3 fresh seeds, and promotion needs 4"),
        ([comparison(-0.01, 0.02, 0.3)], 0.3, "language loss not distinguishable from delta_net"),
        ([comparison(0.03)], 0.01, "language loss worse than delta_net"),
        ([comparison(p_value=0.04)], 0.2, "q = 0.2 over 3 verifications, and promotion needs 0.1"),
        (
            [comparison(), comparison(-0.2, 0.1, 0.01, quantity="recall accuracy")],
            0.01,
            "recall accuracy worse than delta_net",
        ),
        ([], 0.01, "it was not compared with the reference"),
        ([comparison()], None, "it was not compared with the reference"),
    ],
)
def test_what_is_missing_is_said(comparisons, q, reason):
    assert refusals(comparisons, q, 3) == [reason]


def test_the_same_look_twice_enters_once_and_more_seeds_enter_again():
    a, more, other = comparison(p_value=0.01), comparison(p_value=0.02, seeds=8), comparison(p_value=0.5)
    recall = comparison(quantity="recall accuracy")
    found = entrants([verdict("a", a, recall), verdict("b", other), verdict("a", a), verdict("a", more)], "delta_net")
    assert [(look.sha, len(look.comparison.seeds)) for look in found] == [("b", 6), ("a", 6), ("a", 8)]
    assert entrant_q_values(found) == pytest.approx({"a": 0.03, "b": 0.5})


def test_other_baselines_do_not_enter():
    assert entrants([verdict("a", comparison(baseline="gla"))], "delta_net") == []


def test_looking_again_at_the_same_seeds_does_not_change_q():
    looks = [verdict("a", comparison(p_value=0.01)), verdict("b", comparison(p_value=0.5))]
    once, twice = (entrant_q_values(entrants(looks * times, "delta_net")) for times in (1, 2))
    assert once == twice


@given(st.integers(0, 30), st.integers(1, 30))
def test_a_share_lies_in_its_interval(successes, more):
    found = proportion(successes, successes + more)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(0, 10, 0.0, 0.3085), (3, 3, 0.2924, 1.0), (2, 10, 0.0252, 0.5561)]
)
def test_the_exact_interval_agrees_with_published_tables(successes, trials, low, high):
    found = proportion(successes, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (0, 0)])
def test_an_impossible_share_is_refused(successes, trials):
    with pytest.raises(ValueError, match="between 0 and the number of trials"):
        proportion(successes, trials)


def blind(quantity, low, high):
    gap = Interval(estimate=(low + high) / 2, low=low, high=high)
    return BlindComparison(baseline="DeltaNet", quantity=quantity, difference=gap, positions=2048, documents=21)


@pytest.mark.parametrize(
    ("loss", "recall", "reasons"),
    [
        ((-0.03, -0.01), (-0.01, 0.01), []),
        ((-0.03, -0.01), (0.01, 0.02), []),
        ((-0.03, 0.0), (0.0, 0.01), ["in the vault, blind: language loss not distinguishable from DeltaNet"]),
        ((0.01, 0.03), (0.0, 0.01), ["in the vault, blind: language loss worse than DeltaNet"]),
        ((-0.03, -0.01), (-0.02, -0.01), ["in the vault, blind: recall accuracy worse than DeltaNet"]),
    ],
)
def test_the_vault_bears_out_a_lower_loss_without_a_loss_of_recall(loss, recall, reasons):
    assert vault_refusals([blind("language loss", *loss), blind("recall accuracy", *recall)]) == reasons
