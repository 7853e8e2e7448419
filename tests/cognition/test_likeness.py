import pytest

from asi_arch.cognition.embedding import MiniLm
from asi_arch.cognition.likeness import TextLikeness

from .conftest import CountedWords

TEXTS = [
    "A wider window. The check 'future' rejected it.",
    "Decays fade per channel. Its loss was no longer finite.",
    "A gate on the output.",
]


def test_the_text_with_the_rarer_words_in_common_comes_first() -> None:
    assert TextLikeness().nearest("the decay of channels is not finite", TEXTS, 3) == [1]


def test_no_more_come_than_were_asked_for_and_equal_ones_in_their_order() -> None:
    assert TextLikeness().nearest("a gate", ["one gate", "one gate", "one gate"], 2) == [0, 1]


@pytest.mark.parametrize(("text", "texts"), [("", TEXTS), (" \n", TEXTS), ("gate", []), ("?!", TEXTS)])
def test_without_words_or_texts_nothing_is_alike(text: str, texts: list[str]) -> None:
    assert TextLikeness().nearest(text, texts, 3) == []


def test_with_an_encoder_meaning_counts_and_a_text_is_encoded_once(encoder: CountedWords) -> None:
    likeness = TextLikeness(encoder)
    assert likeness.nearest("decays fade per channel", TEXTS, 3)[0] == 1
    assert likeness.nearest("gate", TEXTS, 1) == [2]
    assert [encoder.asked.count(text) for text in TEXTS] == [1, 1, 1]


@pytest.mark.usefixtures("extra")
def test_the_packaged_encoder_knows_what_shares_no_word() -> None:
    query = "Training blew up: activations became infinite."
    assert TextLikeness(MiniLm()).nearest(query, TEXTS, 1) == [1]
