import os
from pathlib import Path

import pytest

from asi_arch.cognition.corpus import load_corpus
from asi_arch.cognition.embedding import MiniLm
from asi_arch.cognition.vectors import MAX_SENTENCES, SHIPPED, ByMeaning, VectorCache, read_vectors, texts_of
from asi_arch.domain.cognition import Paper

from .conftest import CountedWords, MakePaper

pytestmark = pytest.mark.usefixtures("extra")


@pytest.fixture
def papers(make_paper: MakePaper) -> list[Paper]:
    return [
        make_paper("2401.00001", "keys collide when many pairs are stored", "writes erase other values"),
        make_paper("2401.00002", "decay gates saturate near one", background="Trees were climbed."),
    ]


def test_the_most_alike_trigger_comes_first(tmp_path: Path, papers: list[Paper], encoder: CountedWords) -> None:
    hits = ByMeaning([papers], encoder, VectorCache(tmp_path, shipped=None)).ranked("many gates saturate")
    assert hits[0].number == 2
    assert len(hits) == 3, "all entries are put in order"


def test_what_came_before_counts_as_well(tmp_path: Path, papers: list[Paper], encoder: CountedWords) -> None:
    index = ByMeaning([papers], encoder, VectorCache(tmp_path, shipped=None))
    assert index.ranked("Trees were felled.")[0].number == 2


def test_each_sentence_of_a_text_finds_for_itself_and_counts_the_same(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords
) -> None:
    index = ByMeaning([papers], encoder, VectorCache(tmp_path, shipped=None))
    assert index.ranked("Keys collide. Keys collide. Gates saturate.")[0].number == 0
    assert index.ranked("Keys collide. Decay gates. Gates saturate.")[0].number == 2


def test_a_sentence_meets_the_clause_of_an_entry_that_is_most_like_it(
    tmp_path: Path, make_paper: MakePaper, encoder: CountedWords
) -> None:
    apart = make_paper("2401.00001", "Keys collide. Gates saturate and so does all the rest of it after a while.")
    mixed = make_paper("2401.00002", "Keys saturate here and there, and some of the gates collide after a while.")
    hits = ByMeaning([[apart, mixed]], encoder, VectorCache(tmp_path, shipped=None)).ranked("keys collide")
    assert hits[0].number == 0


def test_a_long_text_is_read_to_the_last_sentence_that_is_allowed(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords
) -> None:
    index = ByMeaning([papers], encoder, VectorCache(tmp_path, shipped=None))
    encoder.asked.clear()
    index.ranked("One more sentence. " * 100)
    assert len(encoder.asked) == MAX_SENTENCES
    assert len(encoder.asked[-1].split(". ")) == 100 - MAX_SENTENCES + 1, "the rest, up to what the encoder reads"


@pytest.mark.parametrize("text", ["", "?! -"])
def test_a_text_without_a_word_means_nothing(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords, text: str
) -> None:
    assert ByMeaning([papers], encoder, VectorCache(tmp_path, shipped=None)).ranked(text) == []


def test_groups_are_numbered_through(tmp_path: Path, papers: list[Paper], encoder: CountedWords) -> None:
    apart = ByMeaning([papers[:1], papers[1:]], encoder, VectorCache(tmp_path, shipped=None)).ranked("gates saturate")
    assert apart == ByMeaning([papers], encoder, VectorCache(tmp_path, shipped=None)).ranked("gates saturate")


def test_a_base_without_papers_finds_nothing(tmp_path: Path, encoder: CountedWords) -> None:
    assert ByMeaning([(), ()], encoder, VectorCache(tmp_path, shipped=None)).ranked("gates") == []


def test_a_second_start_encodes_nothing(tmp_path: Path, papers: list[Paper], encoder: CountedWords) -> None:
    first = VectorCache(tmp_path, shipped=None).vectors(texts_of(papers), encoder)
    encoder.asked.clear()
    again = VectorCache(tmp_path, shipped=None).vectors(texts_of(papers), encoder)
    assert encoder.asked == [] and (again == first).all()


def test_an_own_paper_leaves_the_cached_ones_alone(
    tmp_path: Path, papers: list[Paper], make_paper: MakePaper, encoder: CountedWords
) -> None:
    ByMeaning([papers, ()], encoder, VectorCache(tmp_path, shipped=None))
    encoder.asked.clear()
    ByMeaning([papers, [make_paper("own-notes", "a trigger of mine")]], encoder, VectorCache(tmp_path, shipped=None))
    assert len(encoder.asked) == 2, "trigger and background of the new entry"


def test_another_word_or_another_model_is_another_file(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords
) -> None:
    cache = VectorCache(tmp_path, shipped=None)
    cache.vectors(texts_of(papers), encoder)
    cache.vectors(texts_of(papers[:1]), encoder)
    encoder.fingerprint = "another"
    cache.vectors(texts_of(papers), encoder)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "rubbish"])
def test_a_damaged_cache_is_computed_again(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords, damage: str
) -> None:
    first = VectorCache(tmp_path, shipped=None).vectors(texts_of(papers), encoder)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"flipped": flipped, "cut": whole[:middle], "empty": b"", "rubbish": b"\x80" * 999}[damage])
    assert (VectorCache(tmp_path, shipped=None).vectors(texts_of(papers), encoder) == first).all()
    assert path.read_bytes() == whole


def test_without_a_place_for_the_cache_it_works_all_the_same(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords
) -> None:
    (tmp_path / "file").write_text("")
    assert len(VectorCache(tmp_path / "file" / "cache", shipped=None).vectors(texts_of(papers), encoder)) == 6


def test_nothing_unfinished_stays_where_the_disk_is_full(
    tmp_path: Path, papers: list[Paper], encoder: CountedWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    VectorCache(tmp_path, shipped=None).vectors(texts_of(papers), encoder)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_from_none_to_all(tmp_path: Path, papers: list[Paper], encoder: CountedWords) -> None:
    told: list[tuple[int, int]] = []
    VectorCache(tmp_path, lambda done, total: told.append((done, total)), shipped=None).vectors(
        texts_of(papers), encoder
    )
    assert told == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)], "five different clauses"


def test_of_vectors_that_ship_those_of_unchanged_entries_are_used(
    tmp_path: Path, papers: list[Paper], make_paper: MakePaper, encoder: CountedWords
) -> None:
    VectorCache(tmp_path / "build", shipped=None).vectors(texts_of(papers), encoder)
    [shipped] = (tmp_path / "build").iterdir()
    encoder.asked.clear()
    cache = VectorCache(tmp_path / "cache", shipped=shipped)
    cache.vectors(texts_of(papers), encoder)
    assert encoder.asked == [] and not (tmp_path / "cache").exists()
    cache.vectors(texts_of([papers[0], make_paper("2401.00003", "a new trigger")]), encoder)
    assert encoder.asked == ["a new trigger"], "its background is that of another"


def test_the_vectors_that_ship_are_those_of_the_papers(tmp_path: Path) -> None:
    """If this fails, an entry was edited: `make vectors`."""
    texts = texts_of(load_corpus(Path("/nonexistent")).papers)
    encoded: list[tuple[int, int]] = []
    model = MiniLm()
    vectors = VectorCache(tmp_path, lambda done, total: encoded.append((done, total))).vectors(texts, model)
    assert encoded == [], "run `make vectors` and commit the file with the entries"
    assert len(read_vectors(SHIPPED)) == len(set(texts)), "vectors of clauses that are gone"
    # Processors round the int8 products differently, and the file has half precision.
    assert vectors[7] @ model.windows(texts[7])[0] > 0.97
