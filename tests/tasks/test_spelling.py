import numpy as np
import pytest

from asi_arch.domain.errors import UserError
from asi_arch.tasks.spelling import Spelling, shown
from asi_arch.tasks.tokenizer import _trained  # pyright: ignore[reportPrivateUsage]

TEXT = "x = 'ä€😀'\n\tif x:\0 # ÿ"


def test_the_alphabet_is_that_of_the_tokenizers_package() -> None:
    from tokenizers import pre_tokenizers

    assert sorted(map(shown, range(256))) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert (shown(ord("A")), shown(0), shown(ord(" "))) == ("A", "Ā", "Ġ")


def test_bytes_are_tokens() -> None:
    spelling = Spelling()
    assert spelling.tokens(TEXT) == list(TEXT.encode())
    assert b"".join(map(spelling.content, spelling.tokens(TEXT))) == TEXT.encode()


def test_a_trained_vocabulary_gives_every_byte_back() -> None:
    trained = _trained(np.frombuffer(b"def f(x):\n    return x\n" * 300, dtype=np.uint8), 300)
    spelling = Spelling(trained.to_str())
    tokens = spelling.tokens(TEXT)
    assert tokens == trained.encode(TEXT).ids
    assert b"".join(map(spelling.content, tokens)) == TEXT.encode()


@pytest.mark.parametrize(("text", "complaint"), [("", "the text is empty"), ("a\udce4", "not UTF-8")])
def test_what_is_no_text_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Spelling().tokens(text)
