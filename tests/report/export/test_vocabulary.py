import json

import numpy as np
import pytest
from tokenizers import Tokenizer

from asi_arch.report.export.vocabulary import PADDING, vocabulary
from asi_arch.tasks.tokenizer import _trained  # pyright: ignore[reportPrivateUsage]

TEXT = "x = 'ä€😀Ā'\n\tif x:  # \r\n\0\0 end ÿ <|padding|"


def test_bytes_are_their_own_numbers() -> None:
    found = vocabulary("", 256)
    tokenizer = Tokenizer.from_str(found.tokenizer)
    assert tokenizer.encode(TEXT).ids == list(TEXT.encode())
    assert tokenizer.decode(list(TEXT.encode()), skip_special_tokens=False) == TEXT
    assert tokenizer.get_vocab_size() == 256
    assert (found.end_id, found.padding_id) == (0, 255)
    assert tokenizer.token_to_id(PADDING) == found.padding_id
    assert found.settings["eos_token"] == "\0"


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_trained_vocabulary_keeps_every_number(is_merged: bool) -> None:
    end = "\0" if is_merged else "\n"
    corpus = np.frombuffer(f"def f(x):\n    return x ä€{end}".encode() * 200, dtype=np.uint8)
    trained = _trained(corpus, 300)
    found = vocabulary(trained.to_str(), 128)
    tokenizer = Tokenizer.from_str(found.tokenizer)
    for text in ("def f(x):\n    return y # Ā", "def f(x):\n ä€ ÿ"):
        assert tokenizer.encode(text).ids == trained.encode(text).ids
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.get_vocab_size() == trained.get_vocab_size()
    assert trained.id_to_token(found.padding_id) == "ÿ"
    assert trained.id_to_token(found.end_id) == "Ā"
    assert json.loads(trained.to_str())["model"]["merges"] == json.loads(found.tokenizer)["model"]["merges"]
    assert found.settings["pad_token"] == PADDING


def test_an_end_that_longer_tokens_contain_keeps_its_usual_name() -> None:
    corpus = np.frombuffer(b"a\0\0 " * 400, dtype=np.uint8)
    trained = _trained(corpus, 270)
    found = vocabulary(trained.to_str(), 128)
    assert "eos_token" not in found.settings
    assert Tokenizer.from_str(found.tokenizer).encode("a\0\0a").ids == trained.encode("a\0\0a").ids
