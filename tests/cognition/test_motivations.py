import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from asi_arch.cognition.embedding import MiniLm, Vectors
from asi_arch.cognition.motivations import BANDS, ArrayIndex, FaissIndex, Index, KnownMotivations, PiecesOfWords
from asi_arch.cognition.vectors import Encoder
from asi_arch.domain.novelty import Measure, Near

from .conftest import CountedWords

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Pair(NamedTuple):
    same: bool
    one: str
    other: str


PAIRS = [
    Pair(**pair)
    for pair in tomllib.loads((Path(__file__).parent / "motivations.toml").read_text(encoding="utf-8"))["pairs"]
]


@pytest.fixture(params=[ArrayIndex, FaissIndex])
def index(request: pytest.FixtureRequest) -> Callable[[], Index]:
    if request.param is FaissIndex:
        request.getfixturevalue("extra")
    return request.param


def known(encoder: Encoder, file: Path | None = None, index: Callable[[], Index] = ArrayIndex) -> KnownMotivations:
    return KnownMotivations(Measure.WORDS, encoder, index(), file)


def similarities(encoder: Encoder, *, same: bool) -> list[float]:
    def vector(text: str) -> Vectors:
        return encoder.windows(text)[0]

    return sorted(float(vector(p.one) @ vector(p.other)) for p in PAIRS if p.same is same)


def test_the_bands_by_words_keep_every_repeat_and_let_no_new_idea_be_called_one() -> None:
    bands = BANDS[Measure.WORDS]
    assert len(PAIRS) == 24
    assert similarities(PiecesOfWords(), same=True)[0] >= bands.new_below
    assert similarities(PiecesOfWords(), same=False)[-1] < bands.repeat_from
    assert similarities(PiecesOfWords(), same=False)[8] < bands.new_below, "most new ideas need no second look"


@pytest.mark.usefixtures("extra")
def test_the_bands_by_meaning_keep_every_repeat_and_let_no_new_idea_be_called_one() -> None:
    encoder, bands = MiniLm(), BANDS[Measure.MEANING]
    same, different = similarities(encoder, same=True), similarities(encoder, same=False)
    assert same[0] >= bands.new_below
    assert different[-1] < bands.repeat_from
    assert different[8] < bands.new_below, "most new ideas need no second look"
    assert np.median(same) > different[-1], "meaning tells more repeats apart than words do"


def test_the_nearest_come_first_and_equal_ones_by_number(encoder: CountedWords, index: Callable[[], Index]) -> None:
    motivations = known(encoder, index=index)
    assert motivations.nearest("fading memory", 5, before=9) == []
    for number, text in ((4, "window of tokens"), (2, "fading memory"), (3, "memory of tokens"), (0, "fading memory")):
        motivations.add(number, text)
    found = motivations.nearest("fading memory", 3, before=9)
    assert [one.number for one in found] == [0, 2, 3]
    assert [one.similarity for one in found] == pytest.approx([1.0, 1.0, 0.408], abs=2e-3)


def test_what_came_later_is_not_looked_at(encoder: CountedWords, index: Callable[[], Index]) -> None:
    motivations = known(encoder, index=index)
    for number in range(6):
        motivations.add(number, f"fading memory {'very ' * number}")
    alone = known(encoder, index=index)
    alone.add(0, "fading memory ")
    assert motivations.nearest("fading memory", 5, before=1) == alone.nearest("fading memory", 5, before=1)


def test_a_number_that_is_known_and_a_text_without_a_word_change_nothing(encoder: CountedWords) -> None:
    motivations = known(encoder)
    motivations.add(0, "fading memory")
    motivations.add(0, "another text")
    motivations.add(1, " . ")
    (found,) = motivations.nearest("fading memory", 5, before=9)
    assert (found.number, found.similarity) == (0, pytest.approx(1.0, abs=1e-3))


def test_a_text_is_encoded_once(encoder: CountedWords) -> None:
    motivations = known(encoder)
    motivations.nearest("fading memory", 5, before=0)
    motivations.add(0, "fading memory")
    motivations.nearest("fading memory", 5, before=1)
    assert encoder.asked == ["fading memory"]


def test_all_windows_of_a_long_text_count(encoder: CountedWords) -> None:
    motivations = known(encoder)
    motivations.add(0, "fading | memory")
    assert motivations.nearest("memory", 1, before=1)[0].similarity == pytest.approx(0.707, abs=2e-3)


def test_another_process_finds_the_vectors_and_decides_alike(tmp_path: Path, encoder: CountedWords) -> None:
    file = tmp_path / "motivations" / "campaign.vectors"
    texts = [f"motivation of number {number}, {'very ' * number}" for number in range(40)]

    def nearest() -> list[Near]:
        motivations = known(encoder, file)
        for number, text in enumerate(texts):
            motivations.add(number, text)
        return motivations.nearest("motivation of number 7, very", 5, before=40)

    first = nearest()
    encoder.asked.clear()
    assert nearest() == first
    assert len(encoder.asked) <= 41 - 32
    file.write_bytes(b"damaged")
    assert nearest() == first


def test_a_cache_that_can_not_be_written_is_done_without(tmp_path: Path, encoder: CountedWords) -> None:
    (tmp_path / "file").write_text("in the way")
    motivations = known(encoder, tmp_path / "file" / "campaign.vectors")
    for number in range(40):
        motivations.add(number, f"motivation n{number}")
    assert motivations.nearest("motivation n3", 1, before=40)[0].number == 3


def test_pieces_find_words_of_one_stem() -> None:
    def likeness(one: str, other: str) -> float:
        encoder = PiecesOfWords()
        return float(encoder.windows(one)[0] @ encoder.windows(other)[0])

    assert likeness("gated memory", "gates of memories") > 0.3
    assert abs(likeness("gated memory", "local window")) < 0.2
    assert likeness("the of and", "gated memory") == 0.0
