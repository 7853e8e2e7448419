import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.outcome import StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.report.digest import digest
from asi_arch.report.savings import Savings, in_full, one_line, savings
from asi_arch.testing.records import make_experiment, make_proposal

STOP = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.05)


def audited(index, loss):
    """Trained to the end although the rule would have ended it."""
    experiment = make_experiment(index, language=(loss, loss))
    runs = tuple(run.model_copy(update={"would_stop": STOP}) for run in experiment.runs)
    return experiment.model_copy(update={"runs": runs})


def test_savings_compare_with_candidates_that_were_trained_to_the_end(store_of):
    store = store_of(make_experiment(1), make_experiment(3, outcome=STOP))
    full, stopped = store.experiment(1).cost.train_cpu_s, store.experiment(3).cost.train_cpu_s
    found = savings(digest(store))
    assert (found.stopped, found.saved_cpu_s) == (1, pytest.approx(full - stopped))
    assert found.saved_share == pytest.approx((full - stopped) / (2 * full))


def test_baselines_tell_the_length_of_a_training_as_long_as_no_candidate_does(store_of):
    store = store_of(make_experiment(1, outcome=STOP))
    full, stopped = store.experiment(0).cost.train_cpu_s, store.experiment(1).cost.train_cpu_s
    assert savings(digest(store)).saved_cpu_s == pytest.approx(full - stopped)


def test_what_nothing_was_saved_of_is_not_called_zero(store_of):
    found = savings(digest(store_of(make_experiment(1))))
    assert found == Savings(stopped=0, audited=0, wrong=0, saved_cpu_s=None, saved_share=None)
    assert one_line(found) == "0 early stops; none let through yet as an audit"


@pytest.mark.parametrize(("loss", "wrong"), [(1.60, 1), (1.689, 1), (1.691, 0)])
def test_a_stop_that_was_let_through_was_wrong_if_it_ended_at_the_references_loss_or_below(store_of, loss, wrong):
    found = savings(digest(store_of(audited(1, loss))))
    assert (found.audited, found.wrong) == (1, wrong)


def test_an_audited_baseline_does_not_count(store_of):
    proposal = make_proposal("gated_delta_net", author=Author.BASELINE)
    baseline = audited(4, 1.6).model_copy(update={"proposal": proposal})
    assert savings(digest(store_of(baseline))).audited == 0


def test_the_account_is_told_in_a_line_and_in_full():
    found = Savings(stopped=12, audited=3, wrong=1, saved_cpu_s=600.0, saved_share=0.41)
    line = one_line(found)
    assert line == "12 early stops saved 41% of the training time; 3 let through as an audit, 1 of these wrong"
    text = in_full(found, audit_fraction=0.2, reference="DeltaNet")
    assert "ended 12 candidates and saved about 10.0 min of CPU time, 41%" in text
    assert "20% of the candidates are exempt" in text
    assert "1 of these ended with a language loss within 0.025 nats of DeltaNet's or below it" in text


def test_without_an_audit_nothing_is_said_about_the_rules_errors():
    found = Savings(stopped=2, audited=0, wrong=0, saved_cpu_s=None, saved_share=None)
    assert "so that is not known" in in_full(found, audit_fraction=0.2, reference="DeltaNet")
