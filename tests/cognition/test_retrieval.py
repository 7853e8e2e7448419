from pathlib import Path

import pytest

from asi_arch.cognition.findings import Finding, load_findings
from asi_arch.cognition.library import Library
from asi_arch.cognition.retrieval import quality
from asi_arch.cognition.words import ByWords
from asi_arch.domain.cognition import Paper
from asi_arch.domain.errors import PaperError

from .conftest import MakePaper


@pytest.fixture
def library(make_paper: MakePaper) -> Library:
    words = ("apples", "bananas bananas", "bananas cherries", "bananas dates", "bananas elder figs")
    papers: list[Paper] = [make_paper(f"2401.0000{n}", word) for n, word in enumerate(words)]
    return Library(papers, ByWords(papers))


def test_everything_right_at_the_first_place_is_one(library: Library) -> None:
    found = quality(library, [Finding(text="apples", arxiv=("2401.00000",))])
    assert found == (1, 1.0, 1.0, 1.0)


def test_marks_are_means_over_the_findings(library: Library) -> None:
    findings = [
        Finding(text="apples", arxiv=("2401.00000", "2401.00004")),
        Finding(text="nothing known", arxiv=("2401.00000",)),
    ]
    assert quality(library, findings) == (2, 0.25, 0.5, 0.5)


def test_the_rank_of_the_first_right_paper_counts_beyond_the_third(library: Library) -> None:
    found = quality(library, [Finding(text="bananas", arxiv=("2401.00004",))])
    assert (found.recall_at_3, found.mrr) == (0.0, 0.25)


def test_of_more_than_three_right_papers_three_are_enough(library: Library) -> None:
    right = tuple(f"2401.0000{n}" for n in range(1, 5))
    assert quality(library, [Finding(text="bananas", arxiv=right)]).recall_at_3 == 1.0


def test_a_test_set_is_read(tmp_path: Path) -> None:
    path = tmp_path / "findings.toml"
    path.write_text('[[findings]]\ntext = "recall falls"\narxiv = ["2401.00001"]\n')
    assert load_findings(path) == (Finding(text="recall falls", arxiv=("2401.00001",)),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[[findings]]\ntext = "x"\n', "findings.1.arxiv is missing"),
        ('[[findings]]\ntext = "x"\narxiv = []\n', "at least 1 item"),
        ("findings = \n", "can't be read as TOML"),
        ("", "findings is missing"),
    ],
)
def test_a_bad_test_set_is_explained(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "findings.toml"
    path.write_text(content)
    with pytest.raises(PaperError, match=message):
        load_findings(path)
    with pytest.raises(PaperError, match="can't be read"):
        load_findings(tmp_path / "gone.toml")
