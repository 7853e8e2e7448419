import json

import pytest

from asi_arch.domain.published import Published
from asi_arch.engine.archives.entry import Archive, Entry
from asi_arch.engine.archives.openevolve import read_checkpoint
from asi_arch.engine.archives.tables import read_tables
from asi_arch.engine.archives.writing import campaign_of, write
from asi_arch.report import terminal
from asi_arch.report.digest import digest
from asi_arch.report.imported_views import size
from asi_arch.report.payload import best_payload, experiment_payload, status_payload, tree_payload
from asi_arch.report.words import MISSING
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.foreign_archives import GALLERY, TREE, openevolve_program, write_checkpoint, write_table
from asi_arch.testing.records import make_profile
from asi_arch.testing.synthetic import synthetic_store

from .test_terminal import everything, shown


def stored(archive):
    store = FakeStore()
    write(store, archive, campaign_of(archive, make_profile(), version="0", now=1_800_000_000.0), lambda _: None)
    return store


@pytest.fixture
def archive(tmp_path):
    return read_tables(write_table(tmp_path / "tree.tsv", TREE), write_table(tmp_path / "gallery.tsv", GALLERY))


@pytest.fixture
def tables(archive):
    return stored(archive)


def test_every_payload_of_an_imported_campaign_is_plain_json(tables):
    payloads = [status_payload(tables), best_payload(tables), tree_payload(tables)]
    payloads += [experiment_payload(tables, s.index) for s in tables.summaries()]
    for payload in payloads:
        assert json.loads(json.dumps(payload, allow_nan=False)) == payload


def test_the_status_counts_what_was_published_and_says_nothing_of_a_profile(tables):
    payload = status_payload(tables)
    assert set(payload) == set(status_payload(synthetic_store(3)))
    assert payload["campaign"]["profile"] is payload["campaign"]["seeds"] is payload["early_stops"] is None
    known = payload["published"]
    assert (known["scores"], known["programs"], known["curves"], known["parameters"]) == (3, 0, 2, 2)
    assert (known["fewest_parameters"], known["most_parameters"]) == (411_830_000, 1_300_000_000)
    assert known["tasks"] == {"boolq": 2, "average": 2}
    assert payload["lineage"] == {"roots": 1, "parents": 2, "depth": 2, "most_children": 2}
    text = shown(terminal.status_view(payload, 1_800_000_060.0))
    for part in ("3 of 4 have one", "411.8M to 1.3B", "not published programs", "nothing of it was run or checked"):
        assert part in " ".join(text.split())
    for word in ("profile", "fitness", "seed", "baseline"):
        assert word not in text


def test_the_ranking_shows_scores_as_scores_and_a_dash_for_what_is_missing(tables):
    payload = best_payload(tables)
    assert [(row["index"], row["score"]) for row in payload["candidates"]] == [(5, 2.74), (2, 1.68), (1, 1.64)]
    text = shown(terminal.best_view(payload))
    assert [line.split() for line in text.splitlines() if line.strip().startswith("1 ")] == [
        ["1", "DeltaNet", "1.640", *[MISSING] * 4]
    ]
    assert "fitness" not in text
    assert "0.000" not in text


def test_the_tree_shows_scores(tables):
    text = shown(terminal.tree_view(tree_payload(tables)))
    assert "#5 delta_net_memory score 2.740  ← best" in text
    assert "#7 LostNet no score" in text
    assert "loss" not in text


def test_a_designs_page_shows_what_was_published_and_names_what_was_not(tables):
    text = shown(terminal.experiment_view(experiment_payload(tables, 2)))
    for part in ("1.6800 (+0.0400 against the parent's 1.6400)", "411.8M", "3.4000 nats at step 2,000", "boolq 0.58"):
        assert part in text
    assert "Training loss as published, 3 points" in text
    root = shown(terminal.experiment_view(experiment_payload(tables, 1)))
    assert root.count(f"{MISSING} (not published)") == 3
    for word in ("CPU", "fitness", "Code", "Motivation", "not run here;"):
        assert word not in root + text


def test_no_imported_design_is_taken_for_a_baseline(tables):
    found = digest(tables)
    assert (found.baselines, found.baseline_names, found.reference) == ([], [], None)
    assert found.yardstick.formula is None
    assert found.yardstick.why_none(found.lines[3].summary) == "no score: none was published"
    assert experiment_payload(tables, 2)["reference"] is None


def test_hostile_texts_reach_no_terminal(tmp_path):
    evil = "\x1b[31m[bold]<script>alert(1)</script>\u202e"
    metrics = {"combined_score": 1, evil: 2}
    program = openevolve_program(evil, code=f"# {evil}", metadata={"changes": evil}, metrics=metrics)
    store = stored(read_checkpoint(write_checkpoint(tmp_path / "c", [program]), lambda *_: None))
    for text in everything(store):
        assert "\x1b" not in text
    text = everything(store)[-1]
    assert "[bold]<script>" in text


def test_of_a_large_tree_the_best_and_their_ancestors_are_shown(archive):
    entries = [Entry(i, i // 8 if i else None, "", f"d{i}", Published(score=i / 7)) for i in range(600)]
    store = stored(Archive(archive.origin, entries))
    text = shown(terminal.tree_view(tree_payload(store)))
    shown_lines = [line for line in text.splitlines() if "#" in line]
    assert 60 < len(shown_lines) < 80
    assert f"{600 - len(shown_lines)} experiments more with --json" in " ".join(text.split())
    assert "#0 d0" in text
    assert "#599 d599 score 85.571  ← best" in text


def test_nobody_is_lost_at_the_edge_of_the_terminal_in_a_long_line_of_descent(archive):
    entries = [Entry(i, i - 1 if i else None, "", f"d{i}", Published(score=float(i))) for i in range(50)]
    text = shown(terminal.tree_view(tree_payload(stored(Archive(archive.origin, entries)))), 100)
    assert all(f"#{i} d{i} score" in text for i in range(50))
    assert "#49 d49 score 49.000  ← best  (child of #48)" in text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, f"{MISSING} (not published)"), (817_770_000, "817.8M"), (1_300_000_000, "1.3B"), (999, "999")],
)
def test_sizes_are_told_as_people_write_them(count, text):
    assert size(count) == text
