import pytest

from asi_arch.domain.candidate import Author
from asi_arch.report.tables import comparison_table
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal


def test_candidates_come_best_first_and_baselines_in_the_profiles_order(campaign):
    table = comparison_table(campaign, 5)
    fitness = [row.summary.fitness for row in table.candidates]
    assert len(fitness) == 5
    assert fitness == sorted(fitness, reverse=True)
    assert [row.summary.name for row in table.baselines] == list(campaign.campaign().profile.search.baselines)


def test_every_candidate_is_compared_with_every_baseline(campaign):
    table = comparison_table(campaign)
    names = [row.summary.name for row in table.baselines]
    for row in table.candidates:
        assert [versus.baseline for versus in row.against] == names
        for versus, baseline in zip(row.against, table.baselines, strict=True):
            expected = row.language.estimate - baseline.language.estimate
            assert versus.language.estimate == pytest.approx(expected)


def test_a_baseline_is_not_compared_with_itself(campaign):
    reference = comparison_table(campaign).baselines[0]
    assert "delta_net" not in {versus.baseline for versus in reference.against}


def test_equal_models_are_a_tie_and_distant_ones_are_not(campaign):
    table = comparison_table(campaign)
    distant = {versus.baseline: versus.language for versus in table.candidates[0].against}["linear_attention"]
    assert distant.is_clear
    store = FakeStore()
    store.create(make_campaign())
    for index, name in ((0, "delta_net"), (2, "linear_attention")):
        proposal = make_proposal(name, author=Author.BASELINE)
        store.record(make_experiment(index, proposal, language=(1.66, 1.67)), 0.5)
    store.record(make_experiment(1, language=(1.661, 1.672)), 0.5)
    assert not comparison_table(store).candidates[0].against[0].language.is_clear


def test_the_latest_verdict_marks_its_row(verified):
    table = comparison_table(verified)
    assert table.candidates[0].verdict == verified.verdicts()[-1]
    assert table.candidates[1].verdict is None


def test_one_seed_gives_numbers_without_intervals():
    store = FakeStore()
    store.create(make_campaign(make_profile(seeds=(0,))))
    store.record(
        make_experiment(0, make_proposal("delta_net", author=Author.BASELINE), language=(1.66,), recall=(0.6,)), None
    )
    store.record(make_experiment(1, language=(1.6,), recall=(0.6,)), 0.6)
    row = comparison_table(store).candidates[0]
    assert (row.language.estimate, row.language.margin) == (1.6, None)
    assert row.against[0].language.estimate == pytest.approx(-0.06)


def test_young_campaigns_have_short_tables(young):
    table = comparison_table(young)
    assert len(table.baselines) <= 4
    assert len(comparison_table(FakeStore()).rows) == 0
