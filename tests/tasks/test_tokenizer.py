import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from asi_arch.domain.errors import ProfileError
from asi_arch.domain.profile import Split
from asi_arch.tasks.corpus import Corpus, text_corpus
from asi_arch.tasks.tokenizer import tokenize, vocabulary_size


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    text = "".join(f"number {n} is followed by {n + 1}, as ünïcode everybody knows\n" for n in range(4000))
    (tmp_path / "book.txt").write_text(text)
    return text_corpus(tmp_path / "book.txt", tmp_path / "cache")


def test_bytes_are_the_corpus_itself(corpus: Corpus, tmp_path: Path) -> None:
    text = tokenize(corpus, "bytes", tmp_path / "cache")
    assert text.vocabulary == 256
    assert text.train is corpus.train
    assert text.byte_lengths.tolist() == [1] * 256


def test_bpe_tokens_decode_to_the_text_and_their_lengths_add_up(corpus: Corpus, tmp_path: Path) -> None:
    text = tokenize(corpus, "bpe:400", tmp_path / "cache")
    model = Tokenizer.from_str(text.model)
    assert text.vocabulary == 400
    for split in Split:
        tokens, raw = text.held_out(split), corpus.held_out(split)
        assert tokens.dtype == np.uint16
        assert model.decode(tokens.tolist(), skip_special_tokens=False).encode() == raw.tobytes()
        assert text.byte_lengths[tokens].sum() == len(raw)
        assert len(tokens) < len(raw) / 2


def test_bpe_learns_from_the_train_part_only(tmp_path: Path, corpus: Corpus) -> None:
    held_out = (corpus.vault[:500], corpus.fresh, corpus.vault)
    other = Corpus(corpus.name, corpus.description, "f" * 64, corpus.train, *held_out)
    models = {tokenize(each, "bpe:300", tmp_path / "cache").model for each in (corpus, other)}
    assert len(models) == 1


def test_bpe_is_the_same_in_every_process(corpus: Corpus, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from asi_arch.tasks.corpus import text_corpus\n"
        "from asi_arch.tasks.tokenizer import tokenize\n"
        "path = Path(sys.argv[1])\n"
        "text = tokenize(text_corpus(path / 'book.txt', path / 'other'), 'bpe:500', path / 'other')\n"
        "sys.stdout.write(text.fingerprint)"
    )
    there = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True)
    assert there.stdout == tokenize(corpus, "bpe:500", tmp_path / "cache").fingerprint


def test_bpe_comes_from_the_cache_the_second_time(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tokenize(corpus, "bpe:300", tmp_path / "cache")
    monkeypatch.setattr("asi_arch.tasks.tokenizer._encode", None)
    again = tokenize(corpus, "bpe:300", tmp_path / "cache")
    assert again.fingerprint == first.fingerprint
    assert np.array_equal(again.train, first.train)


@pytest.mark.parametrize("name", ["byte", "bpe", "bpe:", "bpe:256", "bpe:-5", "bpe:x", "bpe:²", "bpe:99999999", ""])
def test_an_unknown_vocabulary_is_refused(name: str) -> None:
    with pytest.raises(ProfileError, match="'bytes' or 'bpe:N'"):
        vocabulary_size(name)


def test_a_vocabulary_has_the_size_it_names() -> None:
    assert (vocabulary_size("bytes"), vocabulary_size("bpe:4096")) == (256, 4096)
