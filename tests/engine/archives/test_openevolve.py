import json

import pytest

from asi_arch.domain.errors import ArchiveError
from asi_arch.engine.archives import openevolve
from asi_arch.engine.archives.openevolve import read_checkpoint
from asi_arch.testing.foreign_archives import openevolve_program as program
from asi_arch.testing.foreign_archives import write_checkpoint


def read(tmp_path, *programs, best=None):
    return read_checkpoint(write_checkpoint(tmp_path / "checkpoint_40", programs, best), lambda *_: None)


def refusal(folder):
    with pytest.raises(ArchiveError) as error:
        read_checkpoint(folder, lambda *_: None)
    return str(error.value)


def test_programs_are_numbered_by_generation_and_time(tmp_path):
    late = program("late", "first", timestamp=1_790_000_000.0, metrics={"combined_score": 0.9, "speed": 3, "ok": True})
    archive = read(tmp_path, late, program("child", "first"), program("first"))
    assert [e.published.label for e in archive.entries] == ["first", "child", "late"]
    assert [(e.number, e.parent) for e in archive.entries] == [(1, None), (2, 1), (3, 1)]
    found = archive.entries[2]
    assert (found.rank, found.published.tasks, found.at) == (0.9, {"speed": 3.0}, 1_790_000_000.0)
    assert found.source == "def solve():\n    return 'late'\n"
    assert found.change == "Change 1: replace the loop; iteration 4, generation 1, island 0"
    assert archive.origin.title == "3 programs of the OpenEvolve checkpoint checkpoint_40 up to iteration 40"
    assert archive.origin.score.startswith("'combined_score'")
    assert archive.notes == ()


def test_without_any_combined_score_the_mean_of_the_metrics_ranks_and_that_is_told(tmp_path):
    archive = read(tmp_path, program("a", metrics={"x": 1.0, "y": 2.0, "note": "n"}), program("b", metrics={}))
    assert [e.rank for e in archive.entries] == [1.5, None]
    assert archive.origin.score.startswith("mean of its evaluator's metrics")


def test_a_parent_that_the_checkpoint_has_dropped_is_forgotten_and_told(tmp_path):
    archive = read(tmp_path, program("a", "dropped"))
    assert archive.entries[0].parent is None
    assert archive.notes == ("1 have a parent that is not in the archive; each starts a line of its own",)


@pytest.mark.parametrize(
    ("metrics", "kind", "reason"),
    [
        ({"error": 0.0}, "crashed", "its evaluation failed"),
        ({"error": 0.0, "timeout": True}, "crashed", "its evaluation took too long"),
        ({"combined_score": 0.0, "error": "boom"}, "crashed", "boom"),
        ({"combined_score": 0.7, "error": 0.1}, "measured", None),
        ({"combined_score": float("nan")}, "measured", None),
    ],
)
def test_what_failed_there_is_not_ranked_here(tmp_path, metrics, kind, reason):
    found = read(tmp_path, program("a", metrics=metrics, artifacts_json=json.dumps({"stderr": "Trace"}))).entries[0]
    assert found.outcome.kind == kind
    assert getattr(found.outcome, "reason", None) == reason
    assert found.rank == (0.7 if metrics.get("combined_score") == 0.7 else None)
    assert getattr(found.outcome, "log", "Trace") == "Trace"
    assert found.published.tasks == ({"error": 0.1} if kind == "measured" and "error" in metrics else {})


def test_another_best_than_the_scores_say_is_told(tmp_path):
    programs = program("first"), program("child", "first", metrics={"combined_score": 0.9})
    assert read(tmp_path, *programs, best="first").notes == (
        "the checkpoint calls #1 first its best; by score it is #2 child",
    )


def test_a_folder_that_is_no_checkpoint_is_refused_with_the_way_out(tmp_path):
    assert "does not exist" in refusal(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    assert "is a file; name the folder" in refusal(tmp_path / "file")
    run = tmp_path / "run"
    write_checkpoint(run / "checkpoints" / "checkpoint_9", [program("a")])
    write_checkpoint(run / "checkpoints" / "checkpoint_100", [])
    assert refusal(run / "checkpoints" / "checkpoint_100").endswith("has no programs (programs/ID.json)")
    assert refusal(run).endswith("the latest is " + str(run / "checkpoints" / "checkpoint_100"))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("[", "programs/1.json: is not JSON"),
        ("[" * 100_000, "programs/1.json: is not JSON"),
        ("[]", "programs/1.json: must hold an object, got a list"),
        ('{"id": "b"}', "programs/1.json: 'code' is missing or no text"),
        ('{"id": " ", "code": ""}', "programs/1.json: 'id' is missing or no text"),
        (json.dumps(program("a")), "programs/1.json: id 'a' is that of programs/0.json as well"),
        (json.dumps(program("b", code="x" * ((1 << 20) + 1))), "programs/1.json: 'code' has 1,048,577 bytes"),
        (json.dumps(program("b", "b")), "programs/1.json: is its own ancestor"),
    ],
)
def test_a_bad_program_is_named(tmp_path, broken, message):
    folder = write_checkpoint(tmp_path / "c", [program("a")])
    (folder / "programs" / "1.json").write_text(broken)
    assert message in refusal(folder)


def test_metadata_that_is_no_object_and_too_large_a_checkpoint_are_refused(tmp_path, monkeypatch):
    folder = write_checkpoint(tmp_path / "c", [program("a")])
    (folder / "metadata.json").write_text("[]")
    assert "must hold a JSON object" in refusal(folder)
    monkeypatch.setattr(openevolve, "MAX_TOTAL_BYTES", 10)
    assert "a checkpoint may have 10" in refusal(folder)


def test_values_of_other_types_and_halves_of_characters_do_no_harm(tmp_path):
    odd = program("a", parent=None, code="x = '\ud800'", generation="many", timestamp=[], metrics=[1], metadata="m")
    found = read(tmp_path, {**odd, "parent_id": 7, "metrics": {"combined_score": 10**400}}).entries[0]
    assert (found.parent, found.rank, found.at) == (None, None, 0.0)
    assert found.source == "x = '?'"
