import numpy as np
import pytest

from asi_arch.cognition.kinship import Kindred, likeness, shares, standing_out
from asi_arch.cognition.ranking import Hit
from asi_arch.cognition.words import ByWords
from asi_arch.domain.cognition import Paper

from .conftest import MakePaper


class Scored:
    name = "scored"

    def __init__(self, **scores: float) -> None:
        self._hits = [Hit(int(number[1:]), score) for number, score in scores.items()]

    def ranked(self, text: str) -> list[Hit]:
        return self._hits


@pytest.fixture
def papers(make_paper: MakePaper) -> list[Paper]:
    texts = {
        "2401.00001": ("parity of bits", "matrices are multiplied slowly"),
        "2401.00002": ("a window of tokens ends abruptly",),
        "2401.00003": ("a count of parity bits is kept",),
        "2401.00004": ("slots fill with copies",),
        "2401.00005": ("gates close for ever",),
    }
    return [make_paper(arxiv, *triggers, name=f"Number {arxiv[-1]}") for arxiv, triggers in texts.items()]


def test_a_paper_in_the_same_words_comes_before_one_that_fits_as_badly(papers: list[Paper]) -> None:
    scored, words = Scored(_0=9.0, _2=1.0, _3=1.0), ByWords(papers)
    assert [hit.number for hit in Kindred(scored, papers, words, neighbours=1, weight=1.0).ranked("x")][:2] == [0, 3]
    apart = Kindred(scored, papers, words, neighbours=1, weight=0.0).ranked("x")
    assert [hit.number for hit in apart] == [0, 2, 3], "nothing is lifted"


def test_what_is_like_the_best_comes_without_a_word_of_the_text(papers: list[Paper]) -> None:
    hits = Kindred(Scored(_0=9.0), papers, ByWords(papers), neighbours=1, weight=1.0).ranked("x")
    assert hits == [(0, 9.0), (3, pytest.approx(9.0 - 9.0 / 5))], "by as much as the best is above the mean"


def test_where_nothing_is_found_nothing_is_lifted(papers: list[Paper]) -> None:
    assert Kindred(Scored(), papers, ByWords(papers)).ranked("x") == []


def test_a_single_paper_has_no_kin(make_paper: MakePaper) -> None:
    papers = [make_paper("2401.00001", "parity of bits")]
    assert Kindred(Scored(_0=2.0), papers, ByWords(papers)).ranked("x") == [(0, 2.0)]


def test_it_has_the_name_of_what_it_asks(papers: list[Paper]) -> None:
    assert Kindred(Scored(), papers, ByWords(papers)).name == "scored"


def test_rare_words_make_papers_alike_and_common_ones_do_not() -> None:
    counts = [(stem, row, 1) for row, text in enumerate(("a r", "a r", "a s", "a t", "a u")) for stem in text.split()]
    alike = likeness(counts, np.arange(5))
    assert alike[0, 1] > 0.99
    assert alike[0, 2] < 0.01
    assert (alike.diagonal() == 0).all()
    assert alike[0, 1] == pytest.approx(alike[1, 0])


def test_papers_are_as_alike_as_their_most_alike_entries() -> None:
    texts = ("r", "s", "s", "t", "u", "v")
    alike = likeness([(stem, row, 1) for row, stem in enumerate(texts)], np.array([0, 0, 1, 2, 3, 4]))
    assert alike[0, 1] == pytest.approx(1)


def test_shares_add_up_and_belong_to_the_most_alike() -> None:
    kept = shares(np.array([[0, 0.3, 0.1, 0.2], [0.3, 0, 0, 0], [0.1, 0, 0, 0], [0, 0, 0, 0.0]]), 2)
    assert kept[0] == pytest.approx([0, 0.6, 0, 0.4])
    assert kept[1] == pytest.approx([1, 0, 0, 0])
    assert kept[3] == pytest.approx([0, 0, 0, 0]), "with nothing in common nothing is lifted"


def test_only_what_stands_out_lifts_and_the_better_the_more_so() -> None:
    assert standing_out(np.array([0.0, 1.0, 3.0, 4.0])) == pytest.approx([0, 0, 0.5, 2])
    assert standing_out(np.array([2.0, 2.0])) == pytest.approx([0, 0])
