import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.outcome import Rejected, StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.report import findings
from asi_arch.report.digest import digest
from asi_arch.report.tables import comparison_table
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.testing.synthetic import add_verdict, synthetic_store

STOP = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.05)


def store_of(*experiments):
    store = FakeStore()
    store.create(make_campaign())
    for index, name in ((0, "delta_net"), (2, "linear_attention")):
        proposal = make_proposal(name, author=Author.BASELINE)
        store.record(make_experiment(index, proposal, language=(1.66, 1.67), recall=(0.3, 0.3)), 0.5)
    for experiment in experiments:
        store.record(experiment, None)
    return store


def headline(store):
    return findings.headline(digest(store), comparison_table(store))


def with_verdict(estimates):
    """The fittest of a campaign, verified with these differences (language, recall)."""
    store = synthetic_store(20)
    verdict = add_verdict(store, store.pool(1, 100)[0].index)
    comparisons = [
        c.model_copy(
            update={
                "difference": c.difference.model_copy(update={"estimate": e, "low": e - 0.02, "high": e + 0.02}),
                "p_value": 0.001 if abs(e) > 0.02 else 0.6,
            }
        )
        for c, e in zip(verdict.comparisons, estimates, strict=True)
    ]
    changed = verdict.model_copy(update={"comparisons": tuple(comparisons), "vault_looks": 2})
    store.save_verdict(changed)
    return store


def test_an_empty_campaign_found_nothing():
    store = FakeStore()
    store.create(make_campaign())
    assert headline(store) == "Nothing is finished yet."


def test_baselines_alone_are_no_finding():
    assert "nothing was invented" in headline(store_of())


def test_without_a_measured_candidate_the_outcomes_are_told():
    rejected = Rejected(check="causality", reason="sees the future")
    text = headline(store_of(make_experiment(1, outcome=rejected), make_experiment(3, outcome=STOP)))
    assert text == "Of 2 candidates none was trained to the end: 1 rejected by a check, 1 stopped early."


def test_a_vetoed_candidate_is_not_hidden():
    text = headline(store_of(make_experiment(1, recall=(0.1, 0.1))))
    assert text == "1 candidate measured, none with a fitness: 1 recall less than the floor baseline."


def test_screening_numbers_are_called_a_lead(campaign):
    text = headline(campaign)
    assert "a lead, not a discovery" in text
    assert "differs from delta_net's by" in text


def test_a_verified_gain_is_a_discovery():
    text = headline(with_verdict((-0.05, 0.01)))
    assert "language loss better than delta_net by 0.050 ± 0.020 nats" in text
    assert "recall accuracy not distinguishable from delta_net" in text
    assert "that is a discovery" in text


@pytest.mark.parametrize("estimates", [(-0.01, 0.3), (0.05, 0.3)])
def test_a_tie_or_a_loss_is_no_discovery_whatever_the_recall(estimates):
    assert headline(with_verdict(estimates)).endswith("That is not a discovery.")


def test_a_gain_bought_with_recall_is_no_discovery():
    assert headline(with_verdict((-0.05, -0.2))).endswith("not a discovery: it recalls less than delta_net.")


def test_the_design_that_is_explained_is_the_one_in_the_headline():
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


def test_failures_are_grouped_with_the_latest_example():
    store = store_of(make_experiment(1, outcome=STOP), make_experiment(3, outcome=STOP), make_experiment(4))
    (found,) = findings.failures(digest(store))
    assert (found.kind, found.where, found.times, found.example) == ("stopped_early", "language stage", 2, 3)


def test_savings_compare_with_experiments_that_were_trained_to_the_end():
    store = store_of(make_experiment(1), make_experiment(3, outcome=STOP))
    full, stopped = store.experiment(1).cost.train_cpu_s, store.experiment(3).cost.train_cpu_s
    found = findings.savings(digest(store))
    assert (found.stopped, found.saved_cpu_s) == (1, pytest.approx(full - stopped))
    assert found.saved_share == pytest.approx((full - stopped) / (2 * full))


@pytest.mark.parametrize(("loss", "wrong"), [(1.60, 1), (1.70, 0)])
def test_a_stop_that_was_let_through_and_turned_out_better_counts_as_wrong(loss, wrong):
    experiment = make_experiment(1, language=(loss, loss))
    runs = tuple(run.model_copy(update={"would_stop": STOP}) for run in experiment.runs)
    found = findings.savings(digest(store_of(experiment.model_copy(update={"runs": runs}))))
    assert (found.audited, found.wrong) == (1, wrong)


def test_the_luck_of_the_best_is_taken_out(campaign):
    found = digest(campaign)
    estimate = findings.luck_free(found)
    losses = [line.summary.language_loss for line in found.candidates if line.summary.is_measured]
    best, mean = found.best.summary.language_loss, sum(losses) / len(losses)
    assert min(best, mean) <= estimate.estimate <= max(best, mean)
