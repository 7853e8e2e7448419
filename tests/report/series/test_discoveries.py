import pytest

from asi_arch.report.digest import digest
from asi_arch.report.series.discoveries import discoveries, remarks
from asi_arch.testing.records import make_experiment
from asi_arch.testing.synthetic import add_verdict, synthetic_store


def test_a_lead_beats_the_reference_in_both_numbers(store_of):
    better, loss_only, recall_only = ((1.5, 1.5), (0.9, 0.9)), ((1.5, 1.5), (0.2, 0.2)), ((1.8, 1.8), (0.9, 0.9))
    experiments = [
        make_experiment(index, language=language, recall=recall)
        for index, (language, recall) in zip((1, 3, 4), (better, loss_only, recall_only), strict=True)
    ]
    found = discoveries(digest(store_of(*experiments, fitness={1: 0.9})))
    assert [find.index for find in found.leads] == [1]
    assert found.leads[0].is_clear
    assert (found.candidates, found.by_chance, found.unit) == (3, 0.75, "CPU hours")


def test_totals_run_over_the_compute_of_all_experiments(campaign):
    read = digest(campaign)
    found = discoveries(read)
    assert found.total == pytest.approx(sum(line.cost.cpu_s for line in read.lines) / 3600)
    spent = [find.spent for find in found.leads]
    assert spent == sorted(spent)
    assert found.fit is not None
    assert found.rate is not None
    assert found.rate.estimate == pytest.approx(len(found.leads) / found.total)


def test_what_was_promoted_is_told_apart_from_what_was_screened():
    store = synthetic_store(20)
    verdict = add_verdict(store, store.pool(1, 100)[0].index)
    assert discoveries(digest(store)).promoted == ()
    store.save_verdict(verdict.model_copy(update={"is_promoted": True}))
    assert [find.index for find in discoveries(digest(store)).promoted] == [verdict.index]


def test_the_remarks_say_what_a_straight_line_does_not(campaign):
    told = " ".join(remarks(discoveries(digest(campaign))))
    assert "luck alone would make a quarter of them leads" in told
    assert "does not say that later finds are better" in told


def test_a_campaign_on_a_gpu_counts_wall_time(store_of):
    read = digest(store_of(make_experiment(1), fitness={1: 0.5}))
    profile = read.campaign.profile.model_copy(update={"device": "cuda"})
    found = discoveries(read._replace(campaign=read.campaign.model_copy(update={"profile": profile})))
    assert found.unit == "hours"
    assert found.total == pytest.approx(sum(line.cost.wall_s for line in read.lines) / 3600)


def test_young_campaigns_say_why_there_is_nothing(young):
    found = discoveries(digest(young))
    assert bool(found.missing) is (found.candidates == 0)
    assert remarks(found)


def test_an_imported_campaign_is_measured_by_its_roots_score(imported):
    found = discoveries(digest(imported))
    assert found.unit == "experiments"
    assert found.by_chance is None
    assert found.promoted == ()
    assert found.candidates == 60
    assert len(found.leads) == sum(s.fitness > 1.6 for s in imported.summaries())


def test_without_any_score_an_imported_campaign_says_so(imported_of):
    found = discoveries(digest(imported_of([(1, None, None), (2, 1, None)])))
    assert found.missing == "the score of a root is not in the imported data"
