from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.cognition.corpus import PACKAGED, as_toml, load_corpus, path_of, read_paper, save_paper
from asi_arch.domain.cognition import Entry, Paper, Theme
from asi_arch.domain.errors import PaperError

from .conftest import MakePaper

TEXT = """\
arxiv = "2406.06484"
year = 2024
name = "Parallel delta rule"
theme = "delta rule"

[[entries]]
id = "2406.06484-1"
trigger = "Writes interfere."
background = "Sums came before."
algorithm = "S = S (I - b k k^T) + b v k^T"
guidance = "Normalise the keys."
"""


def written(folder: Path, text: str, name: str = "2406.06484.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_a_paper_with_its_entries(tmp_path: Path) -> None:
    paper = read_paper(written(tmp_path, TEXT))
    assert (paper.arxiv, paper.year, paper.theme) == ("2406.06484", 2024, Theme.DELTA_RULE)
    assert paper.entries[0].trigger == "Writes interfere."


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('trigger = "Writes interfere."\n', "", "entry 1.trigger is missing"),
        ('"Writes interfere."', '"  "', "entry 1.trigger is empty"),
        ('"Writes interfere."', f'"{"word " * 300}"', "entry 1.trigger: String should have at most 1000 characters"),
        ("guidance =", "guide =", "entry 1.guide is unknown; remove it or correct its spelling"),
        ('"delta rule"', '"cookery"', "theme: Input should be 'kernels and feature maps'"),
        ("year = 2024", 'year = "soon"', "(got 'soon')"),
        ('"2406.06484"', '"2413.06484"', "names month 13"),
        ('"2406.06484"', '"2406.0648"', "must have 5 digits"),
        ('"2406.06484"', '"2406.06484v2"', "is no arXiv id without version"),
        ('"2406.06484"', '"../../etc/passwd"', "is no arXiv id"),
        ('"2406.06484-1"', '"2406.99999-1"', "entry id '2406.99999-1' must be 2406.06484- and a number"),
        ("[[entries]]", "[entries]", "entries: Input should be a valid"),
        ("year = 2024", "year 2024", "can't be read as TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in TEXT
    path = written(tmp_path, TEXT.replace(before, after, 1))
    with pytest.raises(PaperError) as caught:
        read_paper(path)
    assert message in str(caught.value) and str(path) in str(caught.value)


def test_what_is_no_text_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"arxiv = \xff")
    (tmp_path / "huge.toml").write_bytes(b"# x\n" * 60_000)
    for name, message in (("bytes", "not UTF-8 text"), ("huge", "more than the 200,000 bytes"), ("gone", "No such")):
        with pytest.raises(PaperError, match=message):
            read_paper(tmp_path / f"{name}.toml")
    with pytest.raises(PaperError, match="is a folder"):
        read_paper(tmp_path)


def test_two_entries_with_one_id_are_refused(tmp_path: Path) -> None:
    entry = TEXT[TEXT.index("[[entries]]") :]
    with pytest.raises(PaperError, match="two entries have the same id"):
        read_paper(written(tmp_path, TEXT + "\n" + entry))


LINES = st.text(min_size=1, max_size=40).filter(lambda text: text.strip())


@given(name=LINES, trigger=LINES, algorithm=LINES)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, name: str, trigger: str, algorithm: str
) -> None:
    parts = {"trigger": trigger, "algorithm": algorithm, "background": 'a "quoted"\\thing', "guidance": "two\nlines"}
    paper = Paper(
        arxiv="2406.06484", year=2024, name=name, theme=Theme.SPARSE, entries=(Entry(id="2406.06484-1", **parts),)
    )
    path = tmp_path_factory.mktemp("written") / "paper.toml"
    path.write_text(as_toml(paper), encoding="utf-8", newline="")
    assert read_paper(path) == paper


def test_saving_never_overwrites_and_leaves_nothing_beside(tmp_path: Path, make_paper: MakePaper) -> None:
    folder = tmp_path / "new" / "papers"
    path = save_paper(make_paper("2406.06484", "Writes interfere."), folder)
    with pytest.raises(PaperError, match="is there already"):
        save_paper(make_paper("2406.06484", "Something else."), folder)
    assert list(folder.iterdir()) == [path]
    assert read_paper(path).entries[0].trigger == "Writes interfere."


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path, make_paper: MakePaper) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PaperError, match=r"can't be written.*`papers` in the settings"):
        save_paper(make_paper("2406.06484", "Writes interfere."), tmp_path / "file" / "papers")


def test_own_papers_come_behind_those_that_ship(tmp_path: Path, make_paper: MakePaper) -> None:
    packaged, own = tmp_path / "packaged", tmp_path / "own"
    save_paper(make_paper("2501.00001", "One."), packaged)
    save_paper(make_paper("2401.00001", "Two."), own)
    assert [paper.arxiv for paper in load_corpus(own, packaged).papers] == ["2501.00001", "2401.00001"]
    assert len(load_corpus(tmp_path / "nowhere", packaged).papers) == 1


def test_an_own_paper_that_ships_as_well_is_refused(tmp_path: Path, make_paper: MakePaper) -> None:
    packaged, own = tmp_path / "packaged", tmp_path / "own"
    for folder in (packaged, own):
        save_paper(make_paper("2501.00001", "One."), folder)
    with pytest.raises(PaperError, match=r"2501\.00001 is there already; remove this file"):
        load_corpus(own, packaged)


def test_an_old_id_with_a_slash_stays_in_its_folder(tmp_path: Path) -> None:
    assert path_of("cs.LG/0112017", tmp_path) == tmp_path / "cs.LG-0112017.toml"


def test_every_paper_that_ships_can_be_read() -> None:
    papers = load_corpus(Path("/nonexistent")).papers
    assert len(papers) == len(list(PACKAGED.glob("*.toml"))) > 0
