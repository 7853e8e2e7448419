import os
from pathlib import Path

import pytest

from asi_arch.domain.errors import ArchiveError
from asi_arch.domain.lineage import Lineage
from asi_arch.engine.archives import entry, files
from asi_arch.engine.archives.tables import read_tables
from asi_arch.engine.archives.writing import campaign_of, write
from asi_arch.report.imported import known_of
from asi_arch.report.shape import shape_of
from asi_arch.settings import load_profile
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.foreign_archives import GALLERY, TREE, write_table

PUBLISHED = Path(__file__).parents[4] / "shared" / "data"
HEAD = "index\tparent\tscore\tname\n"


def read(tmp_path, tree=TREE, gallery=GALLERY):
    return read_tables(
        write_table(tmp_path / "tree.tsv", tree),
        None if gallery is None else write_table(tmp_path / "gallery.tsv", gallery),
    )


def refusal(tmp_path, content, gallery=None):
    (tmp_path / "tree.tsv").write_bytes(content if isinstance(content, bytes) else content.encode())
    if gallery is not None:
        (tmp_path / "gallery.tsv").write_text(gallery)
    with pytest.raises(ArchiveError) as error:
        read_tables(tmp_path / "tree.tsv", None if gallery is None else tmp_path / "gallery.tsv")
    return str(error.value)


def test_a_tree_keeps_its_numbers_names_and_scores(tmp_path):
    root, gate, memory, lost = read(tmp_path, gallery=None).entries
    assert [e.number for e in (root, gate, memory, lost)] == [1, 2, 5, 7]
    assert [e.parent for e in (root, gate, memory, lost)] == [None, 1, 2, 1]
    assert (gate.name, gate.published.label, gate.published.score) == ("GateNet", "delta_net_gate", 1.68)
    assert memory.name == "delta_net_memory"
    assert lost.published.score is lost.rank is None
    assert root.published.parameters is None
    assert root.published.tasks == {}


def test_the_gallery_adds_size_curve_and_benchmarks_and_leaves_what_is_missing_out(tmp_path):
    archive = read(tmp_path)
    _, gate, memory, lost = archive.entries
    assert gate.published.parameters == 411_830_000
    assert [(p.step, p.loss_nats) for p in gate.published.curve] == [(1, 11.03), (100, 7.6), (2000, 3.4)]
    assert gate.published.tasks == {"boolq": 0.58, "average": 0.39}
    assert memory.published.parameters == 1_300_000_000
    assert [p.step for p in memory.published.curve] == [1]
    assert lost.published.curve == ()
    assert archive.origin.title == "4 designs of tree.tsv, 2 of them in gallery.tsv"
    assert archive.notes == ("gallery.tsv: columns without any number: lam_ppl",)


def test_columns_may_stand_in_any_order_and_end_like_on_other_systems(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_bytes("\ufeffname\tscore\tparent\tindex\tcolour\r\nroot\t1\t\t0\tred\r\n\r\nchild\t2\t0\t3\r\n".encode())
    archive = read_tables(path)
    assert [(e.number, e.parent, e.name) for e in archive.entries] == [(0, None, "root"), (3, 0, "child")]
    assert archive.notes == ("t.tsv: columns that are not read: colour",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("index,parent,score,name\n1,,2,a\n", "no column index, parent, score, name in its first line (it has no tab"),
        ("index\tparent\tname\n1\t\ta\n", "no column score in its first line"),
        ("index\tparent\tscore\tname\tname\n", "names the column name twice"),
        (HEAD, "no line below the columns' names"),
        (b"index\tparent\tscore\tname\n1\t\t2\t\xff\n", "is not UTF-8 text (byte 29)"),
        (HEAD + "1\t\tgood\ta\n", "line 2: 'score' must be a finite number, or empty or nan where it is missing"),
        (HEAD + "1\t\tinf\ta\n", "line 2: 'score' must be a finite number"),
        (HEAD + "1\t\t1_0\ta\n", "line 2: 'score' must be a finite number"),
        (HEAD + "-1\t\t2\ta\n", "line 2: 'index' must be a whole number from 0 on, got '-1'"),
        (HEAD + "\t\t2\ta\n", "line 2: 'index' is missing"),
        (HEAD + "1\t\t2\t\n", "line 2: 'name' is missing"),
        (HEAD + "1\t\t2\ta\n\n1\t\t3\tb\n", "line 4: index 1 is that of line 2 as well"),
        (HEAD + "1\t\t2\ta\tb\n", "line 2: has 5 cells under 4 columns"),
        (HEAD + "1\t9\t2\ta\n", "line 2: parent 9 is not the index of any line"),
        (HEAD + "1\t1\t2\ta\n", "tree.tsv, line 2: is its own ancestor (#1 -> #1)"),
        (HEAD + "3\t1\t2\ta\n1\t2\t2\tb\n2\t1\t2\tc\n", "tree.tsv, line 3: is its own ancestor (#1 -> #2 -> #1)"),
    ],
)
def test_what_is_wrong_with_a_tree_is_named_with_its_line(tmp_path, content, message):
    assert message in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("index\tparameters\n1\tmany\n", "line 2: 'parameters' must be a number like 495.73M"),
        ("index\tloss@100\n1\thigh\n", "line 2: 'loss@100' must be a finite number"),
        ("index\tboolq\n1\t0.5\n1\tbad\n", "line 3: 'boolq' must be a finite number"),
        ("index\tboolq\n1\t0.5\n1\t0.6\n", "line 3: index 1 is that of line 2 as well"),
        ("index\tname\n1\tother\n", "line 2: index 1 is called 'other', in the tree 'a'"),
        ("index\tname\n8\tother\n", "line 2: index 8 is not in the tree"),
        ("name\n", "no column index"),
    ],
)
def test_what_is_wrong_with_a_gallery_is_named_with_its_line(tmp_path, content, message):
    assert message in refusal(tmp_path, HEAD + "1\t\t2\ta\n", content)


def test_all_bad_lines_are_told_at_once_up_to_ten(tmp_path):
    message = refusal(tmp_path, HEAD + "".join(f"{i}\t\tbad\tn\n" for i in range(12)))
    assert message.count("\n  line ") == 10
    assert message.endswith("and 2 more")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(ArchiveError, match=r"gone\.tsv can't be read: No such file"):
        read_tables(tmp_path / "gone.tsv")
    with pytest.raises(ArchiveError, match=r"is a folder; name a table"):
        read_tables(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArchiveError, match=r"is not a file but a pipe"):
        read_tables(tmp_path / "pipe")


def test_a_file_of_too_many_bytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 20)
    with pytest.raises(ArchiveError, match=r"has \d+ bytes; a table .* may have 20"):
        read(tmp_path)


def test_more_designs_than_can_be_held_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(entry, "MAX_ENTRIES", 3)
    with pytest.raises(ArchiveError, match="holds 4 designs; at most 3"):
        read(tmp_path)


def test_hostile_names_become_one_printable_line(tmp_path):
    rows = (TREE[0], ("1", "", "1", "a\x1b[2J\u202eb", "x" * 500))
    (found,) = read(tmp_path, rows, None).entries
    assert found.published.label == "a[2Jb"
    assert len(found.name) == 200


def test_a_long_line_of_parents_is_no_circle():
    chain = [entry.Entry(i, i - 1 if i else None, f"line {i}", "n", entry.Published()) for i in reversed(range(50_000))]
    assert entry.circular(chain) == []


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published tables are not beside the repository")
def test_the_published_figures_are_those_that_are_known():
    archive = read_tables(PUBLISHED / "tree.tsv", PUBLISHED / "gallery.tsv")
    store = FakeStore()
    write(store, archive, campaign_of(archive, load_profile("paper"), version="0", now=0.0), lambda _: None)
    lineage = Lineage(store.summaries())
    assert len(lineage.nodes) == 1_772
    assert len(lineage.roots) == 1
    shape = shape_of(lineage)
    assert (len(lineage.children(lineage.roots[0])), shape.parents, shape.depth) == (213, 79, 11)
    assert store.pool(1, 10_000)[0].index == 383
    known = known_of((e.published for e in archive.entries), 0)
    assert (known.parameters, known.curves) == (106, 106)
    assert (known.fewest_parameters, known.most_parameters) == (411_830_000, 817_770_000)
