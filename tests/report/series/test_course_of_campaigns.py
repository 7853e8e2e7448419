"""Batches, the pool's trend, parameters, rates and times."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from asi_arch.domain.outcome import Crashed, Rejected
from asi_arch.report.digest import digest, pools
from asi_arch.report.series.batches import batch_size, batches
from asi_arch.report.series.parameters import parameters
from asi_arch.report.series.rates import KINDS, course
from asi_arch.report.series.trend import pool_trend
from asi_arch.testing.records import make_experiment


def test_every_candidate_is_in_one_batch(campaign):
    found = digest(campaign)
    parts = batches(found, found.candidates)
    assert [line for part in parts for line in part.lines] == found.candidates
    assert all(part.first <= line.summary.index <= part.last for part in parts for line in part.lines)
    assert parts[-1].last == 39


def test_batches_are_refreshes_put_together_and_not_too_many(campaign):
    found = digest(campaign)
    assert batch_size(found) == 12
    far = found.lines[-1]._replace(summary=found.lines[-1].summary._replace(index=9_999))
    assert batch_size(found._replace(lines=(*found.lines, far))) == 252


def test_the_trend_is_of_the_pools_means(campaign):
    found = digest(campaign)
    points = pool_trend(found)
    assert [(p.experiments, p.size) for p in points] == [
        (s, len(pool)) for s, pool in pools(found.lines, found.campaign)
    ]
    last = campaign.pool(20, points[-1].experiments)
    assert points[-1].fitness == pytest.approx(np.mean([s.fitness for s in last]))
    assert points[-1].best == last[0].fitness
    assert points[-1].language == pytest.approx(np.mean([s.language_loss for s in last]))
    assert points[-1].fitness == pytest.approx(
        (points[-1].loss_term + points[-1].recall_term + points[-1].judge_term) / 3
    )


def test_an_imported_pool_has_a_score_and_no_parts(imported):
    (point,) = pool_trend(digest(imported))
    assert (point.experiments, point.size) == (50, 49)
    assert point.fitness is not None
    assert (point.language, point.recall, point.loss_term, point.judge_term) == (None, None, None, None)


def test_own_campaigns_count_one_mixer_and_say_how_large_the_models_are(campaign):
    found = parameters(digest(campaign))
    assert found.of == "one mixer"
    assert found.models == (97_000, 97_000)
    assert found.tolerance == 0.02
    assert sum(spread.designs for spread in found.spreads) == len(found.designs)
    assert found.correlation is None, "all counts are equal"


def test_quantiles_and_correlation_are_those_of_numpy_and_scipy(campaign):
    found = digest(campaign)
    rng = np.random.default_rng(0)
    lines = tuple(line._replace(mixer_parameters=int(rng.integers(100, 160))) for line in found.lines)
    counted = parameters(found._replace(lines=lines))
    first = [x.parameters for x in counted.designs if x.index <= counted.spreads[0].last]
    assert counted.spreads[0][3:] == pytest.approx(tuple(np.quantile(first, [0, 0.25, 0.5, 0.75, 1])))
    pairs = [(x.parameters, x.fitness) for x in counted.designs if x.fitness is not None]
    assert counted.correlation == pytest.approx(stats.spearmanr(*zip(*pairs, strict=True)).statistic)


def test_imported_counts_are_the_published_ones(imported, imported_of):
    found = parameters(digest(imported))
    assert [x.parameters for x in found.designs] == [495_730_000, 817_010_000]
    assert (found.models, found.tolerance) == (None, None)
    assert parameters(digest(imported_of([(1, None, 1.0)]))).missing.endswith("not in the imported data")


def test_rates_are_of_the_proposals_of_a_batch(store_of):
    ends = {1: Rejected(check="causality", reason="x"), 3: Crashed(reason="x"), 4: None, 5: None}
    found = course(digest(store_of(*(make_experiment(i, outcome=end) for i, end in ends.items()))))
    (batch,) = found.rates
    assert {rate.kind: rate.count for rate in batch.rates} == {**dict.fromkeys(KINDS, 0), "rejected": 1, "crashed": 1}
    assert batch.proposals == 4
    assert batch.of("crashed").share.estimate == 0.25
    assert found.whole is not None
    assert found.whole.rates == batch.rates


def test_ends_are_counted_once(campaign):
    found = digest(campaign)
    ends = Counter(line.summary.outcome for line in found.candidates)
    counted = course(found).whole
    assert sum(rate.count for rate in counted.rates[:4]) == len(found.candidates) - ends["measured"]


def test_all_wall_time_is_accounted_for(campaign):
    found = digest(campaign)
    total = course(found).total
    wall = sum(line.cost.wall_s + line.cost.propose_s for line in found.lines)
    assert total.total_s == pytest.approx(wall)
    assert sum(sum(batch.times) for batch in course(found).times) == pytest.approx(wall)


def test_waiting_is_what_neither_checks_nor_the_slowest_seed_explain(store_of):
    experiment = make_experiment(1)
    slowest = sum(
        max(run.wall_s for run in experiment.runs if run.key.stage is stage)
        for stage in type(experiment.runs[0].key.stage)
    )
    wall = slowest + 0.9 + 7.0
    slow = experiment.model_copy(update={"cost": experiment.cost.model_copy(update={"wall_s": wall})})
    (line,) = digest(store_of(slow)).candidates
    assert line.unexplained_s == pytest.approx(7.0)


def test_an_imported_campaign_has_no_rates(imported):
    found = course(digest(imported))
    assert (found.rates, found.total) == ((), None)
    assert found.missing == "what failed and what it cost is not in the imported data"


def test_what_failed_elsewhere_is_counted_where_it_is_on_record(imported_of):
    store = imported_of([(1, None, 1.0), (2, 1, 1.5)])
    known = store.experiment(2)
    store.record(known.model_copy(update={"index": 3, "outcome": Crashed(reason="x")}), None)
    found = course(digest(store))
    assert found.missing == ""
    assert found.whole.of("crashed").count == 1
    assert found.total is None


def test_young_campaigns_have_empty_series(young):
    found = digest(young)
    assert len(course(found).times) == (1 if found.lines else 0)
    assert parameters(found).spreads == () or len(found.lines) > 1
    assert len(pool_trend(found)) == (1 if len(found.lines) == 9 else 0)
