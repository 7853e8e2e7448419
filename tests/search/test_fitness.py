import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import UserError
from asi_arch.domain.experiment import Summary
from asi_arch.domain.profile import FitnessSpec
from asi_arch.search.fitness import Fitness, Standing


def summary(loss=1.6, recall=0.5, mqar=0.5, judge=0.5, outcome="measured"):
    return Summary(1, "sha", 0, "name", Author.COMPOSER, outcome, loss, recall, mqar, judge)


REFERENCE = summary(loss=1.6, recall=0.5, mqar=0.9)
FLOOR = summary(loss=2.3, recall=0.3, mqar=0.3)
DEFAULT = Fitness(FitnessSpec(), REFERENCE, FLOOR)
PAPER = Fitness(FitnessSpec(formula="paper"), REFERENCE, None)
BOTH = pytest.mark.parametrize("fitness", [DEFAULT, PAPER], ids=["recall_veto", "paper"])

losses = st.floats(1.45, 4)
shares = st.floats(0, 1)
recalling = st.floats(0.3, 1)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@BOTH
def test_the_formula_is_the_published_one(fitness):
    found = fitness.of(summary(loss=1.6 * 0.97, recall=0.5 * 1.05, judge=0.7))
    assert found == pytest.approx((sigmoid(6 * 0.3) + sigmoid(6 * 0.5) + 0.7) / 3)


@BOTH
def test_a_twin_of_the_reference_has_one_half_in_both_measured_terms(fitness):
    parts = fitness.parts(summary())
    assert (parts.loss, parts.recall, parts.judge, parts.total) == pytest.approx((0.5, 0.5, 0.5, 0.5))
    assert parts.standing is Standing.SCORED


@BOTH
@given(loss=losses, recall=shares, mqar=recalling, judge=shares)
def test_fitness_stays_between_zero_and_one(fitness, loss, recall, mqar, judge):
    assert 0 < fitness.of(summary(loss, recall, mqar, judge)) < 1


@BOTH
@given(loss=losses, recall=shares, judge=shares, less=st.floats(0, 0.5), more=shares)
def test_better_numbers_never_lower_the_fitness(fitness, loss, recall, judge, less, more):
    worse = fitness.of(summary(loss + less, recall, 0.5, judge))
    better = fitness.of(summary(loss, max(recall, more), 0.5, max(judge, more)))
    assert better >= worse


@BOTH
@pytest.mark.parametrize("field", ["loss", "recall", "mqar", "judge"])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, -0.1])
def test_missing_and_impossible_numbers_never_score(fitness, field, value):
    parts = fitness.parts(summary(**{field: value}))
    assert parts.total is None
    assert parts.standing is Standing.UNMEASURED


@BOTH
@pytest.mark.parametrize("field", ["recall", "mqar", "judge"])
def test_a_share_above_one_never_scores(fitness, field):
    assert fitness.of(summary(**{field: 1.01})) is None


@BOTH
@pytest.mark.parametrize("outcome", ["rejected", "crashed", "stopped_early", "suspicious"])
def test_only_a_measured_experiment_scores(fitness, outcome):
    assert fitness.of(summary(outcome=outcome)) is None


@BOTH
def test_a_loss_more_than_the_band_below_the_baseline_is_a_leak(fitness):
    assert fitness.parts(summary(loss=1.6 * 0.899)).standing is Standing.LEAK
    assert fitness.of(summary(loss=1.6 * 0.899)) is None
    assert fitness.of(summary(loss=1.6 * 0.901)) is not None


@given(loss=losses, recall=shares, mqar=st.floats(0, 0.2499), judge=shares)
def test_recalling_less_than_the_floor_leaves_no_fitness_however_good_the_rest(loss, recall, mqar, judge):
    parts = DEFAULT.parts(summary(loss, recall, mqar, judge))
    assert parts.standing is Standing.VETOED
    assert parts.total is None


def test_the_floor_itself_is_not_vetoed():
    assert DEFAULT.of(FLOOR) is not None


def test_a_little_below_the_floor_is_noise():
    assert DEFAULT.of(summary(mqar=0.26)) is not None


def test_a_better_baseline_than_the_reference_moves_the_bound_of_a_leak():
    mamba = summary(loss=1.5)
    both = Fitness(FitnessSpec(), REFERENCE, FLOOR, [mamba])
    assert DEFAULT.parts(summary(loss=1.42)).standing is Standing.LEAK
    assert both.parts(summary(loss=1.42)).standing is Standing.SCORED
    assert both.parts(summary(loss=1.34)).standing is Standing.LEAK
    paper = Fitness(FitnessSpec(formula="paper"), REFERENCE, None, [mamba])
    assert paper.parts(summary(loss=1.42)).standing is Standing.LEAK


def test_the_papers_formula_has_no_veto():
    assert PAPER.of(summary(mqar=0.0)) is not None


def test_gains_beyond_the_band_are_capped():
    assert DEFAULT.of(summary(recall=0.6)) == DEFAULT.of(summary(recall=1.0))


def test_a_reference_that_recalls_nothing_divides_nothing_by_zero():
    fitness = Fitness(FitnessSpec(), summary(recall=0.0, mqar=0.0), summary(mqar=0.0))
    assert fitness.parts(summary(recall=0.0)).recall == 0.5
    assert fitness.parts(summary(recall=0.1)).recall == pytest.approx(sigmoid(6))


def test_an_unmeasured_baseline_is_named():
    with pytest.raises(UserError, match=r"recall floor 'name' must be measured, got outcome 'crashed'"):
        Fitness(FitnessSpec(), REFERENCE, summary(outcome="crashed"))
    with pytest.raises(UserError, match="reference baseline"):
        Fitness(FitnessSpec(), summary(loss=math.nan), FLOOR)
    with pytest.raises(UserError, match="needs the recall floor"):
        Fitness(FitnessSpec(), REFERENCE, None)
