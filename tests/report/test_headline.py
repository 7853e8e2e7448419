import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.outcome import Rejected, StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.report.digest import digest
from asi_arch.report.headline import headline
from asi_arch.report.tables import comparison_table
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

STOP = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.05)


def of(store):
    return headline(digest(store), comparison_table(store))


def test_an_empty_campaign_found_nothing():
    store = FakeStore()
    store.create(make_campaign())
    assert of(store).answer == "Nothing is finished yet."


def test_baselines_alone_are_no_finding(store_of):
    assert of(store_of()).answer == "Nothing was invented yet."


def test_without_a_measured_candidate_the_outcomes_are_told(store_of):
    rejected = Rejected(check="causality", reason="sees the future")
    found = of(store_of(make_experiment(1, outcome=rejected), make_experiment(3, outcome=STOP)))
    assert found.answer == "No candidate was trained to the end yet."
    assert found.evidence == "Of 2 candidates: 1 rejected by a check and 1 stopped early."


def test_a_vetoed_candidate_is_not_hidden(store_of):
    found = of(store_of(make_experiment(1, recall=(0.1, 0.1))))
    assert found.answer == "No candidate has a fitness yet."
    assert found.evidence.startswith("1 candidate measured: 1 vetoed. mixer_1 (#1) is vetoed: ")
    assert "0.100 is below 0.250, linear_attention's less the noise" in found.evidence


@pytest.mark.parametrize(
    ("loss", "recall", "answer"),
    [
        (1.50, 0.9, "A lead, not a discovery: mixer_1 (#1) recalls more and models language better than delta_net."),
        (1.50, 0.3, "A lead, not a discovery: mixer_1 (#1) models language better than delta_net."),
        (
            1.80,
            0.9,
            "A trade-off, not a discovery: mixer_1 (#1) recalls more than delta_net but models language worse.",
        ),
        (1.66, 0.3, "No lead yet: the fittest candidate, mixer_1 (#1), shows no gain over delta_net beyond noise."),
        (1.80, 0.3, "No lead yet: the fittest candidate, mixer_1 (#1), shows no gain over delta_net beyond noise."),
    ],
)
def test_what_was_not_verified_is_at_most_a_lead(store_of, loss, recall, answer):
    experiment = make_experiment(1, language=(loss, loss + 0.01), recall=(recall, recall + 0.01))
    found = of(store_of(experiment, fitness={1: 0.6}))
    assert found.answer == answer
    assert "not verified with fresh seeds" in found.evidence


def test_a_lead_names_the_baselines_that_it_does_not_beat(store_of):
    rival = make_experiment(4, make_proposal("gated_delta_net", author=Author.BASELINE), language=(1.50, 1.51))
    found = of(store_of(make_experiment(1, language=(1.55, 1.56), recall=(0.3, 0.3)), rival, fitness={1: 0.6, 4: 0.5}))
    assert found.answer.endswith("models language better than delta_net, though not than gated_delta_net.")


def test_a_lead_is_told_with_the_baselines_that_are_ahead_of_it(store_of):
    found = of(store_of(make_experiment(1, language=(1.70, 1.71)), fitness={1: 0.4}))
    assert "though delta_net (0.500) and linear_attention (0.500) are fitter" in found.evidence
    assert "delta_net (1.665) and linear_attention (1.665) are lower in language loss" in found.evidence


def test_the_reference_is_found_by_its_place_not_by_its_name(store_of):
    found = of(store_of(make_experiment(1), fitness={1: 0.6}, names=("DeltaNet", "Linear attention")))
    assert "nats against DeltaNet's 1.665" in found.evidence


def test_a_verified_gain_is_a_discovery(with_verdict):
    found = of(with_verdict((-0.05, 0.01)))
    assert found.answer.startswith("A discovery: ")
    assert "language loss better than delta_net by 0.050 ± 0.020 nats" in found.evidence
    assert "recall accuracy not distinguishable from delta_net" in found.evidence


def test_a_discovery_names_the_baselines_that_it_does_not_beat(with_verdict):
    found = of(with_verdict((-0.05, 0.01), others={"gated_delta_net": 0.01, "mamba2": 0.04, "linear_attention": -0.5}))
    assert found.answer.endswith("than delta_net, though not than gated_delta_net or mamba2.")
    assert "not distinguishable from gated_delta_net, worse than mamba2 and better than linear" in found.evidence


@pytest.mark.parametrize("estimates", [(-0.01, 0.3), (0.05, 0.3)])
def test_a_tie_or_a_loss_is_no_discovery_whatever_the_recall(with_verdict, estimates):
    found = of(with_verdict(estimates)).answer
    assert found.startswith("No discovery: ")
    assert found.endswith("did not prove to model language better than delta_net.")


def test_a_gain_bought_with_recall_is_no_discovery(with_verdict):
    found = of(with_verdict((-0.05, -0.2))).answer
    assert found.startswith("No discovery: ")
    assert found.endswith("better than delta_net but recalls less.")


def test_a_gain_that_is_not_promoted_is_no_discovery_and_the_reason_is_told(with_verdict):
    store = with_verdict((-0.05, 0.01))
    reason = "its code ran under the containment 'process', under which nothing can be promoted"
    store.save_verdict(store.verdicts()[-1].model_copy(update={"reason": reason}))
    found = of(store)
    assert found.answer.startswith("No discovery yet: ")
    assert found.answer.endswith("models language better than delta_net but is not promoted.")
    assert f"Not promoted: {reason}." in found.evidence
