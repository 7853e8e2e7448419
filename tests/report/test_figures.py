import struct

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.profile import Policy
from asi_arch.report.digest import digest, pools
from asi_arch.report.figures import style
from asi_arch.report.figures.curves import smooth, training_curves
from asi_arch.report.figures.outcomes import outcomes, time_by_use
from asi_arch.report.figures.pool import pool_trend
from asi_arch.report.figures.progress import progress
from asi_arch.report.figures.tradeoff import tradeoff
from asi_arch.report.figures.tree import tree
from asi_arch.report.pictures import draw
from asi_arch.report.tables import comparison_table
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal
from asi_arch.testing.synthetic import synthetic_store


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_all_pictures_of_a_young_campaign_can_be_drawn(young):
    found = draw(digest(young), comparison_table(young), young, None)
    assert {picture.name for picture in found} == {"progress", "tree", "pool", "tradeoff", "outcomes"}
    assert all(picture.png.startswith(b"\x89PNG") and picture.alt and picture.caption for picture in found)


def test_pictures_are_wide_enough_to_read(campaign):
    for picture in draw(digest(campaign), comparison_table(campaign), campaign, 1):
        width, height = struct.unpack(">II", picture.png[16:24])
        assert width == style.WIDTH * style.DPI
        assert height >= 300


def test_the_same_campaign_gives_the_same_bytes(campaign):
    first, second = (style.png(progress(digest(campaign))) for _ in range(2))
    assert first == second


def test_progress_names_every_baseline_and_counts_failures(campaign):
    found = texts(progress(digest(campaign)))
    assert all(name in found for name in campaign.campaign().profile.search.baselines)
    assert "stopped early (" in found


def test_a_small_tree_names_every_experiment(campaign):
    found = texts(tree(digest(campaign)))
    assert all(f"#{line.summary.index}" in found for line in digest(campaign).candidates)
    assert "best: " in found


def test_a_large_tree_names_the_baselines_and_the_best():
    store = synthetic_store(150)
    found = texts(tree(digest(store)))
    assert ", with the ring" in found
    assert "gated_delta_net" in found


def test_the_random_policys_tree_is_drawn():
    profile = make_profile()
    store = FakeStore()
    store.create(
        make_campaign(
            profile.model_copy(update={"search": profile.search.model_copy(update={"policy": Policy.RANDOM})})
        )
    )
    store.record(make_experiment(0, make_proposal("delta_net", author=Author.BASELINE)), 0.5)
    for index in range(1, 90):
        store.record(make_experiment(index), 0.4)
    assert "90 experiments" in texts(tree(digest(store)))


def test_pools_are_the_fittest_below_each_refresh(campaign):
    found = digest(campaign)
    for snapshot, pool in pools(found.lines, found.campaign):
        assert [line.summary for line in pool] == campaign.pool(20, snapshot)


def test_an_empty_panel_says_why():
    store = synthetic_store(1)
    found = digest(store)
    assert "no candidate yet" in texts(outcomes(found))
    assert "not refreshed yet" in texts(pool_trend(found))
    assert "no run in the recall stage" in texts(training_curves([]))


def test_the_tradeoff_gives_a_distant_baselines_numbers(campaign):
    assert "linear_attention (2.2" in texts(tradeoff(digest(campaign), comparison_table(campaign)))


def test_all_cpu_time_is_accounted_for(campaign):
    found = digest(campaign)
    assert sum(time_by_use(found).values()) == pytest.approx(sum(line.cost.cpu_s for line in found.lines))


def test_smoothing_is_a_mean_over_the_last_steps():
    assert smooth([1.0, 2.0, 3.0, 4.0], 2).tolist() == [1.5, 2.5, 3.5]
