import pytest

from asi_arch.domain.verdict import BlindComparison, Comparison, Interval, Verdict
from asi_arch.stats.wording import amount, describe, describe_blind, evidence_text, is_better


def comparison(estimate, margin, p_value, *, quantity="language loss", seeds=6):
    return Comparison(
        baseline="delta_net",
        quantity=quantity,
        seeds=tuple(range(seeds)),
        difference=Interval(estimate=estimate, low=estimate - margin, high=estimate + margin),
        p_value=p_value,
        candidate_mean=1.6,
        baseline_mean=1.6 - estimate,
        differences=(estimate,) * seeds,
    )


def test_a_lower_loss_is_better():
    found = describe(comparison(-0.031, 0.012, 0.004))
    assert found == "better than delta_net by 0.031 ± 0.012 nats (95%), p = 0.004, 6 fresh seeds"


def test_a_higher_loss_is_worse():
    assert describe(comparison(0.2, 0.01, 1e-9)) == (
        "worse than delta_net by 0.200 ± 0.010 nats (95%), p < 0.001, 6 fresh seeds"
    )


def test_a_higher_accuracy_is_better_and_has_no_unit():
    found = comparison(0.31, 0.1, 0.01, quantity="recall accuracy", seeds=4)
    assert is_better(found)
    assert describe(found) == "better than delta_net by 0.310 ± 0.100 (95%), p = 0.010, 4 fresh seeds"


def test_a_tie_is_not_sold_as_a_gain():
    found = comparison(-0.006, 0.02, 0.31)
    assert not is_better(found)
    assert describe(found) == (
        "not distinguishable from delta_net: lower by 0.006 ± 0.020 nats (95%), p = 0.31, 6 fresh seeds"
    )


def test_no_difference_at_all_is_said_plainly():
    assert describe(comparison(0.0, 0.0, 1.0)) == (
        "not distinguishable from delta_net: no difference, p = 1.00, 6 fresh seeds"
    )


@pytest.mark.parametrize(
    ("margin", "text"), [(0.0, "0.031 ± 0.000"), (0.0004, "0.0310 ± 0.0004"), (1e-9, "0.031000 ± 0.000000")]
)
def test_a_small_margin_is_not_rounded_away(margin, text):
    assert amount(Interval(estimate=-0.031, low=-0.031 - margin, high=-0.031 + margin)) == text


def test_a_corrected_chance_takes_the_place_of_p():
    found = describe(comparison(-0.031, 0.012, 0.004), q_value=0.02)
    assert found == "better than delta_net by 0.031 ± 0.012 nats (95%), q = 0.02, 6 fresh seeds"


def test_a_blind_comparison_says_where_it_was_made():
    gap = Interval(estimate=-0.03, low=-0.04, high=-0.02)
    found = BlindComparison(baseline="DeltaNet", quantity="language loss", difference=gap, positions=2048, documents=21)
    assert describe_blind(found) == (
        "in the vault, blind: language loss better than DeltaNet by 0.030 ± 0.010 nats (95%),"
        " 2,048 positions in 21 documents"
    )
    recall = found.model_copy(update={"quantity": "recall accuracy"})
    assert "recall accuracy worse than DeltaNet by 0.030 ± 0.010 (95%)" in describe_blind(recall)
    tie = found.model_copy(update={"difference": Interval(estimate=-0.01, low=-0.04, high=0.02)})
    assert "language loss not distinguishable from DeltaNet: lower by 0.010 ± 0.030 nats" in describe_blind(tie)


def test_evidence_is_told_where_it_was_kept():
    old = Verdict(sha="a", index=1, protocol="p", comparisons=(), statement="", vault_looks=0, at=0.0)
    assert evidence_text(old) == ""
    new = old.model_copy(update={"e_value": 23.4, "anytime_p": 0.0427})
    assert evidence_text(new) == "e = 23.4, anytime p = 0.043 (valid whenever one looks)"
