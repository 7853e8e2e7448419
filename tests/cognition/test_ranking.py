import pytest

from asi_arch.cognition.library import Library
from asi_arch.cognition.ranking import Hit, Hybrid, best_first
from asi_arch.cognition.words import ByWords, clauses_of, sentences_of
from asi_arch.domain.errors import UserError

from .conftest import MakePaper


class Fixed:
    name = "fixed"

    def __init__(self, *numbers: int) -> None:
        self._hits = [Hit(number, 10.0 - place) for place, number in enumerate(numbers)]

    def ranked(self, text: str) -> list[Hit]:
        return self._hits


def test_equal_scores_keep_the_order_of_the_base() -> None:
    assert [hit.number for hit in best_first({2: 1.0, 0: 1.0, 1: 3.0})] == [1, 0, 2]


def test_the_hybrid_prefers_what_both_find() -> None:
    hits = Hybrid([(Fixed(0, 1, 2), 1.0), (Fixed(3, 1), 1.0)], 5).ranked("x")
    assert hits[0].number == 1
    assert {hit.number for hit in hits} == {0, 1, 2, 3}, "whatever any of them found"


class Scored:
    name = "scored"

    def __init__(self, *scores: float) -> None:
        self._scores = scores

    def ranked(self, text: str) -> list[Hit]:
        return best_first(dict(enumerate(self._scores)))


def test_parts_count_by_how_clearly_they_tell_entries_apart_not_by_their_scale() -> None:
    small, large = Scored(0.9, 0.1, 0.1, 0.1), Scored(120.0, 130.0, 100.0, 110.0)
    assert Hybrid([(small, 1.0), (large, 1.0)], 4).ranked("x")[0].number == 0
    scores = [hit.score for hit in Hybrid([(small, 1.0)], 4).ranked("x")]
    tenfold = [hit.score for hit in Hybrid([(Scored(9.0, 1.0, 1.0, 1.0), 1.0)], 4).ranked("x")]
    assert scores == pytest.approx(tenfold)


def test_where_all_is_equal_the_hybrid_keeps_the_order_of_the_base() -> None:
    assert [hit.number for hit in Hybrid([(Scored(2.0, 2.0), 1.0)], 2).ranked("x")] == [0, 1]


def test_the_heavier_part_of_a_hybrid_decides() -> None:
    assert Hybrid([(Fixed(0, 1), 1.0), (Fixed(1, 0), 0.5)], 2).ranked("x")[0].number == 0
    assert Hybrid([(Fixed(0, 1), 0.5), (Fixed(1, 0), 1.0)], 2).ranked("x")[0].number == 1


def test_a_word_counts_in_any_of_its_forms(make_paper: MakePaper) -> None:
    papers = [make_paper("2401.00001", "Gates saturate early."), make_paper("2401.00002", "Keys collide often.")]
    assert [hit.number for hit in ByWords(papers).ranked("a colliding key")] == [1]


def test_a_word_of_the_trigger_counts_for_more_than_one_of_the_algorithm(make_paper: MakePaper) -> None:
    papers = [
        make_paper("2401.00001", "Gates drift apart.", algorithm="keys saturate"),
        make_paper("2401.00002", "Gates saturate early.", algorithm="keys drift"),
    ]
    assert [hit.number for hit in ByWords(papers).ranked("saturate")] == [1, 0]


@pytest.mark.parametrize("text", ['" OR * NEAR(', "trigger:gates AND NOT x", "größe ÷ 3.5 'quoted'", "x" * 100_000])
def test_no_text_is_taken_for_the_language_of_the_index(make_paper: MakePaper, text: str) -> None:
    ByWords([make_paper("2401.00001", "Gates saturate.")]).ranked(text)


def test_words_that_say_nothing_find_nothing(make_paper: MakePaper) -> None:
    assert ByWords([make_paper("2401.00001", "The gate is of the key.")]).ranked("it is of the") == []


def test_a_paper_comes_once_by_its_best_entry(make_paper: MakePaper) -> None:
    papers = [make_paper("2401.00001", "one", "two"), make_paper("2401.00002", "three")]
    passages = Library(papers, Fixed(1, 0, 2)).near("anything at all", 3)
    assert [passage.entry.id for passage in passages] == ["2401.00001-2", "2401.00002-1"]


def test_no_more_come_than_were_asked_for(make_paper: MakePaper) -> None:
    papers = [make_paper(f"2401.0000{n}", "trigger") for n in range(5)]
    assert len(Library(papers, Fixed(0, 1, 2, 3, 4)).near("anything", 2)) == 2


@pytest.mark.parametrize("text", ["", "  \n", "?!", "-"])
def test_a_text_without_words_is_refused(make_paper: MakePaper, text: str) -> None:
    with pytest.raises(UserError, match="there is no word to search for"):
        Library([make_paper("2401.00001", "trigger")], Fixed(0)).near(text)


def test_a_text_is_cut_at_the_ends_of_sentences_and_an_entry_at_those_of_clauses_too() -> None:
    text = "Loss rises;\n recall falls at 3.5 nats: why?  - ! The rest."
    assert sentences_of(text, 9) == ["Loss rises; recall falls at 3.5 nats: why?", "The rest."]
    assert clauses_of(text) == ["Loss rises;", "recall falls at 3.5 nats:", "why?", "The rest."]


def test_the_last_sentence_that_is_allowed_is_all_the_rest() -> None:
    assert sentences_of("One. Two. Three.", 2) == ["One.", "Two. Three."]


def test_words_are_counted_by_stem_and_row(make_paper: MakePaper) -> None:
    counts = set(ByWords([make_paper("2401.00001", "gates gating", "keys")]).counts())
    assert {("gate", 0, 2), ("kei", 1, 1)} <= counts
