import json
from io import StringIO
from itertools import pairwise

import pytest
from rich.console import Console

from asi_arch.domain.errors import StoreError, UserError
from asi_arch.domain.novelty import Decider, Measure, Novelty
from asi_arch.domain.outcome import StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.domain.repairs import mended
from asi_arch.report.payload import best_payload, experiment_payload, status_payload, tree_payload
from asi_arch.report.terminal import experiment_view, status_view
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_judgement, make_proposal


def as_json(payload):
    return json.loads(json.dumps(payload, allow_nan=False))


def test_every_payload_is_plain_json(young):
    for payload in (status_payload(young), best_payload(young), tree_payload(young)):
        assert as_json(payload) == payload
    for summary in young.summaries():
        payload = experiment_payload(young, summary.index)
        assert as_json(payload) == payload


def test_the_status_counts_what_happened(campaign):
    payload = status_payload(campaign)
    assert payload["finished"] == 40
    assert sum(payload["outcomes"].values()) + len(payload["baselines"]) == 40
    assert [row["index"] for row in payload["best"]] == [s.index for s in campaign.pool(5, 100)]
    assert payload["unfinished"] == []


def test_a_proposal_without_a_record_is_unfinished():
    store = FakeStore()
    store.create(make_campaign())
    store.propose(1, make_proposal("half_done", parent=0))
    assert status_payload(store)["unfinished"] == [{"index": 1, "name": "half_done", "author": "composer", "parent": 0}]


def test_the_best_are_the_rows_of_the_comparison_table(verified):
    payload = best_payload(verified, 3)
    assert len(payload["candidates"]) == 3
    assert payload["candidates"][0]["verdict"].startswith("language loss better than")
    assert set(payload["candidates"][0]["against"]) == {row["name"] for row in payload["baselines"]}


def test_the_tree_knows_the_way_to_the_best(campaign):
    payload = tree_payload(campaign)
    nodes = {node["index"]: node for node in payload["nodes"]}
    path = payload["best_path"]
    assert path[0] in payload["roots"]
    assert path[-1] == payload["best"] == campaign.pool(1, 100)[0].index
    assert all(child in nodes[parent]["children"] for parent, child in pairwise(path))


def test_an_experiment_is_told_with_its_parent_and_its_difference(campaign):
    summary = campaign.pool(1, 100)[0]
    payload = experiment_payload(campaign, summary.index)
    assert payload["parent"]["index"] == summary.parent
    assert payload["numbers"]["fitness"] == summary.fitness
    assert payload["numbers"]["judge_term"] == summary.judge
    assert any(line.startswith("+") for line in payload["diff"])
    assert payload["reference"]["name"] == "delta_net"
    assert len(payload["runs"]) == 4


def test_the_reference_has_nothing_above_it(campaign):
    payload = experiment_payload(campaign, 0)
    assert payload["reference"] is payload["parent"] is None
    assert payload["diff"] == []
    assert payload["curves"]["language"]["reference"] == []


def test_a_missing_fitness_is_explained_everywhere(store_of):
    store = store_of(make_experiment(1, recall=(0.1, 0.1)))
    word = "vetoed: "
    assert experiment_payload(store, 1)["no_fitness"].startswith(word)
    assert best_payload(store)["unscored"][0]["no_fitness"].startswith(word)
    assert {node["index"]: node["no_fitness"] for node in tree_payload(store)["nodes"]}[1].startswith(word)
    assert status_payload(store)["baselines"][0]["no_fitness"] == ""


def test_the_status_has_the_account_of_the_early_stop(store_of):
    stop = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.05)
    found = status_payload(store_of(make_experiment(1, outcome=stop)))["early_stops"]
    assert (found["stopped"], found["audited"], found["wrong"]) == (1, 0, 0)
    assert 0 < found["saved_share"] < 1


def test_an_unknown_experiment_is_named(campaign):
    with pytest.raises(UserError, match="experiment 999 is not finished"):
        experiment_payload(campaign, 999)


@pytest.mark.parametrize("ask", [status_payload, best_payload, tree_payload])
def test_a_store_without_a_campaign_says_how_to_start_one(ask):
    with pytest.raises(StoreError, match="asi-arch run"):
        ask(FakeStore())


def test_repairs_are_counted_and_shown_with_what_they_changed():
    store = FakeStore()
    store.create(make_campaign())
    for index in range(3):
        store.record(make_experiment(index), 0.5)
    first = make_proposal("flip", source="x = flip(y)\n", parent=0, passages=("2406.06484-1",))
    once = mended(first, "x = y\n", failure="It leaked.", cause="flip")
    twice = mended(once, "x = y + 1\n", failure="It was slow.", cause="too little")
    store.record(make_experiment(3, twice), 0.6)
    assert status_payload(store)["repairs"] == {"repairs": 2, "programs": 1, "saved": 1}
    payload = experiment_payload(store, 3)
    assert [repair["failure"] for repair in payload["repairs"]] == ["It leaked.", "It was slow."]
    assert "-x = flip(y)\n+x = y" in payload["repairs"][0]["diff"]
    assert "-x = y\n+x = y + 1" in payload["repairs"][1]["diff"]
    told = Console(width=100, record=True, file=StringIO())
    told.print(status_view(status_payload(store), 0.0), experiment_view(payload))
    text = told.export_text()
    assert "1 program that failed got 2 repairs; 1 saved" in text
    assert "Cause: flip" in text
    assert "Read before: 2406.06484-1" in text


def test_how_far_a_models_marks_agree_is_told():
    store = FakeStore()
    store.create(make_campaign())
    for index, change in enumerate(({}, {"agreement": 0.9}, {"agreement": 0.8}, {"note": "No usable marks."})):
        experiment = make_experiment(index)
        judgement = make_judgement(0.5).model_copy(update=change)
        store.record(experiment.model_copy(update={"judgement": judgement}), 0.5)
    judge = status_payload(store)["judge"]
    assert (judge["by_model"], judge["unmarked"], judge["agreement"]) == (2, 1, pytest.approx(0.85))
    told = Console(width=160, record=True, file=StringIO())
    told.print(
        status_view(status_payload(store), 0.0), *(experiment_view(experiment_payload(store, i)) for i in (1, 3))
    )
    text = told.export_text()
    assert "a model marked 2 designs, its samples agree to 0.85 of 1; no usable marks came for 1" in text
    assert "judge's samples agree to 0.90 of 1" in text
    assert "No usable marks." in text


def test_the_novelty_check_is_counted_and_told():
    store = FakeStore()
    store.create(make_campaign())
    for index in range(4):
        store.record(make_experiment(index), 0.5)
    clear = Novelty(
        nearest=2, similarity=0.31, measure=Measure.WORDS, decider=Decider.SIMILARITY, reason="Nothing is like it."
    )
    moved = Novelty(
        nearest=None,
        similarity=0.0,
        measure=Measure.MEANING,
        decider=Decider.MIND,
        reason="Both fade the state.",
        is_repeat=True,
        discipline="ecology",
        disciplines=("topology", "ecology"),
    )
    store.record(make_experiment(4, make_proposal("clear", novelty=clear)), 0.6)
    store.record(make_experiment(5, make_proposal("moved", novelty=moved)), 0.6)
    assert status_payload(store)["novelty"] == {"checked": 2, "sent_back": 2, "diversified": 1, "repeats": 1}
    told = Console(width=400, record=True, file=StringIO())
    told.print(status_view(status_payload(store), 0.0))
    told.print(*(experiment_view(experiment_payload(store, index)) for index in (3, 4, 5)))
    text = told.export_text()
    assert "2 ideas checked, 2 sent back as repeats; 1 came from another discipline, 1 repeated all the same" in text
    assert (
        "Novelty: nearest #2 with a similarity of 0.31 by words; new, decided by similarity alone. Nothing is like it."
        in text
    )
    assert (
        "Novelty: nothing came before it; taken although it repeats an earlier idea, decided by a mind. Both fade the"
        " state. 2 ideas were sent back, to topology, ecology; this one comes from ecology." in text
    )
    assert experiment_payload(store, 3)["idea"]["novelty"] is None
