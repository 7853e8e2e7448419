import pytest

from asi_arch.domain.outcome import StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.report import findings
from asi_arch.report.digest import digest
from asi_arch.testing.records import make_experiment
from asi_arch.testing.synthetic import add_verdict, synthetic_store

STOP = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.05)


def test_the_design_that_is_explained_is_the_one_in_the_headline(with_verdict, store_of):
    better, tie = with_verdict((-0.05, 0.0)), with_verdict((0.0, 0.0))
    assert findings.subject(digest(better)) == better.verdicts()[-1].index
    assert findings.subject(digest(tie)) == digest(tie).best.summary.index
    assert findings.subject(digest(store_of())) is None


def test_discoveries_are_corrected_for_everything_that_was_verified():
    store = synthetic_store(20)
    first, second = (summary.index for summary in store.pool(2, 100))
    add_verdict(store, first)
    alone = findings.discoveries(store.verdicts(), "delta_net")
    bad = add_verdict(store, second)
    comparisons = tuple(c.model_copy(update={"p_value": 0.9}) for c in bad.comparisons)
    both = findings.discoveries([store.verdicts()[0], bad.model_copy(update={"comparisons": comparisons})], "delta_net")
    sha = store.verdicts()[0].sha
    assert both[sha] == pytest.approx(2 * alone[sha])


def test_failures_are_grouped_with_the_latest_example(store_of):
    store = store_of(make_experiment(1, outcome=STOP), make_experiment(3, outcome=STOP), make_experiment(4))
    (found,) = findings.failures(digest(store))
    assert (found.kind, found.where, found.times, found.example) == ("stopped_early", "language stage", 2, 3)


def test_the_luck_of_the_best_is_taken_out(campaign):
    found = digest(campaign)
    estimate = findings.luck_free(found)
    losses = [line.summary.language_loss for line in found.candidates if line.summary.is_measured]
    best, mean = found.best.summary.language_loss, sum(losses) / len(losses)
    assert min(best, mean) <= estimate.estimate <= max(best, mean)


def test_a_promotion_is_taken_back_when_later_verifications_raise_its_q(with_verdict):
    verdict = with_verdict((-0.05, 0.0)).verdicts()[-1]
    promoted = verdict.model_copy(update={"is_promoted": True})
    assert findings.standing(promoted, 0.05) == "promoted"
    assert findings.standing(promoted, 0.2) == "not promoted any more: q = 0.2 with what was verified since"
    assert findings.standing(verdict.model_copy(update={"reason": "3 fresh seeds"}), 0.05) == (
        "not promoted: 3 fresh seeds"
    )
    assert findings.standing(verdict, 0.05) == ""
