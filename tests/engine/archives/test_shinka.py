import json
import os
import sqlite3
from contextlib import closing

import pytest

from asi_arch.domain.errors import ArchiveError
from asi_arch.engine.archives.shinka import archive_of
from asi_arch.store.shinka import read_programs
from asi_arch.testing.foreign_archives import shinka_program as program
from asi_arch.testing.foreign_archives import write_shinka


def read_database(path):
    return archive_of(path, read_programs(path, most=10, largest=1 << 20))


def refusal(path):
    with pytest.raises(ArchiveError) as error:
        read_database(path)
    return str(error.value)


def test_programs_keep_parents_references_and_what_they_say_of_themselves(tmp_path):
    child = program("child", "first", archive_inspiration_ids='["first", "gone"]', combined_score=0.9)
    archive = read_database(write_shinka(tmp_path / "e.sqlite", [child, program("first")]))
    first, found = archive.entries
    assert (first.number, first.parent, found.number, found.parent) == (1, None, 2, 1)
    assert (found.name, found.published.label, found.motivation) == ("wider_steps", "child", "Wider steps go further.")
    assert found.references == (1,)
    assert found.change == "diff patch, generation 1, island 0"
    assert found.published.tasks == {"speed": 2.0}
    assert (found.rank, found.source) == (0.9, "# child\nx = 1\n")
    assert archive.origin.title == "2 programs of the ShinkaEvolve database e.sqlite"


def test_an_incorrect_program_is_rejected_and_not_ranked_whatever_its_score(tmp_path):
    wrong = program("wrong", correct=0, combined_score=9.0, text_feedback="shapes differ")
    (found,) = read_database(write_shinka(tmp_path / "e.sqlite", [wrong])).entries
    assert (found.outcome.kind, found.outcome.reason) == ("rejected", "shapes differ")
    assert (found.rank, found.published.score) == (None, 9.0)


def test_copies_and_missing_parents_are_told(tmp_path):
    copy = program("copy", metadata=json.dumps({"_is_island_copy": True}), island_idx=1)
    archive = read_database(write_shinka(tmp_path / "e.sqlite", [program("first"), copy, program("c", "gone")]))
    assert archive.notes == (
        "1 have a parent that is not in the archive; each starts a line of its own",
        "1 are copies of the first program, one for each further island",
    )


def test_numbers_that_are_none_are_missing(tmp_path):
    texts = {"public_metrics": '{"a": NaN}', "metadata": "[", "top_k_inspiration_ids": "{"}
    odd = program("odd", combined_score=float("inf"), **texts)
    (found,) = read_database(write_shinka(tmp_path / "e.sqlite", [odd])).entries
    assert (found.rank, found.published.tasks, found.name) == (None, {}, "odd")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": b"\x00\x01"}, "program 1: 'code' is missing or no text"),
        ({"id": " "}, "program 1: 'id' is missing or no text"),
        ({"code": "x" * ((1 << 20) + 1)}, "the program in row 1 has 1,048,577 bytes"),
        ({"parent_id": "a"}, "program 1: is its own ancestor"),
    ],
)
def test_a_bad_row_is_named(tmp_path, changes, message):
    assert message in refusal(write_shinka(tmp_path / "e.sqlite", [{**program("a"), **changes}]))


def test_what_is_no_such_database_is_told_apart(tmp_path):
    assert "No such file" in refusal(tmp_path / "gone.sqlite")
    assert "is a folder; name the database in it" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is not a file but a pipe" in refusal(tmp_path / "pipe")
    path = tmp_path / "e.sqlite"
    path.write_bytes(b"")
    assert "is empty" in refusal(path)
    path.write_text("index\tparent\n" * 9)
    assert "is not a SQLite database" in refusal(path)
    path.write_bytes(b"SQLite format 3\0" + bytes(range(200)) * 20)
    assert "can't be read as a SQLite database" in refusal(path)


def test_more_programs_than_can_be_held_are_refused(tmp_path):
    path = write_shinka(tmp_path / "e.sqlite", [program(f"p{i}") for i in range(11)])
    assert "holds 11 programs; at most 10" in refusal(path)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE other (id)", "has no table 'programs'"),
        ("CREATE VIEW programs AS SELECT 1 AS id, 'x' AS code, 1.0 AS combined_score", "has no table 'programs'"),
        ("CREATE TABLE programs (id TEXT, score REAL)", "has no column code, combined_score"),
        ("CREATE TABLE programs (id TEXT, code TEXT, combined_score REAL)", "holds no programs"),
    ],
)
def test_a_database_of_another_shape_is_refused(tmp_path, statement, message):
    path = tmp_path / "e.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)
    assert message in refusal(path)


def test_a_database_of_the_fewest_columns_is_enough(tmp_path):
    path = tmp_path / "e.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE programs (id TEXT, code TEXT, combined_score REAL)")
        database.execute("INSERT INTO programs VALUES ('a', 'x = 1', 0.5)")
    (found,) = read_database(path).entries
    assert (found.rank, found.outcome.kind, found.parent) == (0.5, "measured", None)


@pytest.mark.parametrize("is_logged", [False, True])
def test_nothing_is_written_to_the_database_or_beside_it(tmp_path, is_logged):
    path = write_shinka(tmp_path / "e.sqlite", [program("a")], is_logged=is_logged)
    before = path.read_bytes()
    tmp_path.chmod(0o555)
    try:
        assert len(read_database(path).entries) == 1
    finally:
        tmp_path.chmod(0o755)
    assert [item.name for item in tmp_path.iterdir()] == ["e.sqlite"]
    assert path.read_bytes() == before


def test_what_still_lies_in_the_log_of_a_running_search_is_read(tmp_path):
    path = write_shinka(tmp_path / "e.sqlite", [program("a")], is_logged=True)
    with closing(sqlite3.connect(path)) as running:
        running.execute("UPDATE programs SET combined_score = 0.8")
        running.commit()
        archive = read_database(path)
    assert archive.entries[0].rank == 0.8
    assert list(archive.origin.files) == ["e.sqlite", "e.sqlite-wal"]
