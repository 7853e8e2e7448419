import struct
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import LabError
from asi_arch.domain.profile import Policy
from asi_arch.report.digest import digest, pools
from asi_arch.report.figures import style
from asi_arch.report.figures.curves import smooth, training_curves
from asi_arch.report.figures.outcomes import outcomes, time_by_use
from asi_arch.report.figures.plans import Shown, plans
from asi_arch.report.figures.pool import pool_figure
from asi_arch.report.figures.progress import progress
from asi_arch.report.figures.tradeoff import tradeoff
from asi_arch.report.figures.tree import tree
from asi_arch.report.pictures import draw
from asi_arch.report.tables import comparison_table
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal
from asi_arch.testing.synthetic import synthetic_store

TREES = {"figure-3-tree", "figure-5-phylogeny"}
FROM_THE_FIRST_CANDIDATE = {"outcomes", "figure-8-parameters", "figure-1-discoveries"}
LATER = {"figure-6-pool", "figure-7-mechanisms", "figure-7-pairs"}
NAMES = {*TREES, *FROM_THE_FIRST_CANDIDATE, *LATER, "progress", "tradeoff", "course", "curves"}


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (0, set()),
        (1, {*TREES, "progress", "tradeoff", "course"}),
        (2, {*TREES, *FROM_THE_FIRST_CANDIDATE, "progress", "tradeoff", "course"}),
        (13, {*TREES, *FROM_THE_FIRST_CANDIDATE, *LATER, "progress", "tradeoff", "course"}),
    ],
)
def test_a_young_campaign_has_only_the_pictures_that_show_something(size, names):
    store = synthetic_store(size)
    found = plans(Shown(digest(store), comparison_table(store), []))
    assert {plan.name for plan in found if not plan.missing} == names
    assert {plan.name for plan in found} == NAMES
    assert all(plan.alt and plan.caption for plan in found)


def test_pictures_are_wide_enough_to_read(campaign):
    found = draw(digest(campaign), comparison_table(campaign), campaign, 1)
    assert {picture.name for picture in found.pictures} == NAMES
    assert found.missing == {}
    for picture in found.pictures:
        width, height = struct.unpack(">II", picture.png[16:24])
        assert width == style.WIDTH * style.DPI
        assert height >= 300


def test_the_same_campaign_gives_the_same_bytes(campaign):
    first, second = (style.png(progress(digest(campaign))) for _ in range(2))
    assert first == second


def test_several_processes_draw_the_same_bytes_in_the_same_order():
    store = synthetic_store(1)
    read, table, told = digest(store), comparison_table(store), []
    alone = draw(read, table, store, None, formats=("svg",))
    together = draw(read, table, store, None, formats=("svg",), workers=2, tick=told.append)
    assert together == alone
    assert told == [picture.name for picture in alone.pictures] != []


def test_progress_names_every_baseline_and_counts_failures(campaign):
    found = texts(progress(digest(campaign)))
    assert all(name in found for name in campaign.campaign().profile.search.baselines)
    assert "stopped early (" in found


def test_a_small_tree_names_every_experiment(campaign):
    found = texts(tree(digest(campaign)))
    assert all(f"#{line.summary.index}" in found for line in digest(campaign).candidates)
    assert "best: " in found


def test_a_best_that_has_children_is_named_in_the_title(store_of):
    best, child = make_experiment(1, make_proposal("queen", parent=0)), make_experiment(3, make_proposal("x", parent=1))
    figure = tree(digest(store_of(best, child, fitness={1: 0.9, 3: 0.5})))
    assert figure.get_suptitle().endswith("best: queen #1 (0.900), in orange")
    assert "queen #1" in [text.get_text() for text in figure.axes[0].texts]


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
    found = digest(synthetic_store(2))
    assert "no trend with fewer" in texts(outcomes(found))
    assert "no run in the recall stage" in texts(training_curves([]))


def test_candidates_without_a_fitness_are_shown_apart_and_are_never_the_best_so_far(store_of):
    vetoed, scored = make_experiment(1, language=(1.5, 1.5), recall=(0.1, 0.1)), make_experiment(3, language=(1.6, 1.6))
    found = digest(store_of(vetoed, scored, fitness={3: 0.6}))
    assert "no fitness" in texts(tradeoff(found, comparison_table(store_of(vetoed))))
    figure = progress(found)
    assert "no fitness" in texts(figure)
    (steps,) = [line for line in figure.axes[0].lines if line.get_label() == "best so far"]
    assert min(steps.get_ydata()) == pytest.approx(1.6)


def test_the_pools_trend_has_its_four_lines(campaign):
    assert all(
        name in texts(pool_figure(digest(campaign))) for name in ("loss term", "recall term", "judge", "fitness")
    )


def test_names_at_the_edge_are_moved_apart_within_the_picture():
    assert style.apart([1.0, 1.01, 3.0], distance=0.5, top=4.0) == [1.0, 1.5, 3.0]
    assert style.apart([1.0, 3.9, 4.0, 4.0], distance=0.5, top=4.0) == [1.0, 3.0, 3.5, 4.0]


def test_the_tradeoff_gives_a_distant_baselines_numbers(campaign):
    assert "linear_attention (2.2" in texts(tradeoff(digest(campaign), comparison_table(campaign)))


def test_all_cpu_time_is_accounted_for(campaign):
    found = digest(campaign)
    assert sum(time_by_use(found).values()) == pytest.approx(sum(line.cost.cpu_s for line in found.lines))


def test_smoothing_is_a_mean_over_the_last_steps():
    assert smooth([1.0, 2.0, 3.0, 4.0], 2).tolist() == [1.5, 2.5, 3.5]


def test_a_drawing_process_that_is_killed_is_told_in_a_sentence(campaign, monkeypatch):
    def killed(*_):
        raise BrokenProcessPool
        yield

    monkeypatch.setattr(ProcessPoolExecutor, "map", killed)
    with pytest.raises(LabError, match="a process that draws figures was ended from outside"):
        draw(digest(campaign), comparison_table(campaign), campaign, None, workers=2)
