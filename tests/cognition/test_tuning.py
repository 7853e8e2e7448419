import random

from asi_arch.cognition.tuning import Setting, cross_validated

ONE, OTHER = Setting(1.0, 3, 0.0), Setting(1.0, 5, 1.0)


def test_a_setting_that_is_always_best_is_found_in_every_fold() -> None:
    assert cross_validated({ONE: [0.0] * 10, OTHER: [1.0] * 10}, random.Random(0)) == 1.0


def test_a_setting_is_never_chosen_by_what_it_is_measured_on() -> None:
    lucky = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    marks = {ONE: lucky, OTHER: [1.0 - mark for mark in lucky]}
    assert cross_validated(marks, random.Random(0), folds=6) == 0.0, "left out, a finding is won by the other setting"


def test_without_a_choice_it_is_the_mean() -> None:
    assert cross_validated({ONE: [0.2, 0.4, 0.9]}, random.Random(3), folds=2) == 0.5
