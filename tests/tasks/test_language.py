from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from asi_arch.domain.errors import DataError
from asi_arch.domain.profile import LanguageStage, Split
from asi_arch.tasks.corpus import text_corpus
from asi_arch.tasks.language import FEWEST_DOCUMENTS, LanguageTask


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """About 130 kB in one file."""
    path = tmp_path / "book.txt"
    path.write_text("".join(f"the square of {number} is {number**2}\n" for number in range(4500)))
    return path


def task_of(book: Path, **changes: object) -> LanguageTask:
    stage = LanguageStage.model_validate({"data": str(book), "context": 32, "held_out_windows": 40, **changes})
    return LanguageTask(stage, book.parent / "cache")


def test_a_batch_is_a_pure_function_of_seed_and_step(book: Path) -> None:
    one, two = task_of(book).train_batch(4, 9), task_of(book).train_batch(4, 9)
    assert all(np.array_equal(left, right) for left, right in zip(one, two, strict=True))
    for seed, step in ((4, 10), (5, 9), (9, 4)):
        assert not np.array_equal(one.inputs, task_of(book).train_batch(seed, step).inputs)


def test_targets_are_the_next_tokens_of_the_train_part(book: Path) -> None:
    task = task_of(book)
    batch = task.train_batch(0, 0)
    assert batch.inputs.shape == batch.targets.shape == (8, 32)
    assert batch.inputs.dtype == batch.targets.dtype == batch.groups.dtype == np.int32
    assert np.array_equal(batch.inputs[:, 1:], batch.targets[:, :-1])
    train = text_corpus(book, book.parent / "cache").train.tobytes()
    assert all(
        bytes([*row.tolist(), int(last)]) in train for row, last in zip(batch.inputs, batch.targets[:, -1], strict=True)
    )
    assert (task.groups, task.vocabulary) == (("text",), 256)


def test_every_place_of_the_train_part_can_be_drawn(book: Path) -> None:
    task = task_of(book, batch=4000)
    train = text_corpus(book, book.parent / "cache").train.tobytes()
    batch = task.train_batch(0, 0)
    places = [train.find(bytes(row.tolist())) for row in batch.inputs]
    assert min(places) < 0.01 * len(train)
    assert max(places) > 0.99 * len(train) - 33


@pytest.mark.parametrize("split", Split)
def test_held_out_windows_are_evenly_spaced_and_do_not_overlap(book: Path, split: Split) -> None:
    batch = task_of(book).held_out(split)
    text = text_corpus(book, book.parent / "cache").held_out(split).tobytes()
    places = [text.find(bytes(row.tolist())) for row in batch.inputs]
    gaps = np.diff(places)
    assert batch.inputs.shape == (40, 32)
    assert (places[0], places[-1]) == (0, len(text) - 33)
    assert gaps.min() >= 32
    assert gaps.max() - gaps.min() <= 1


def test_windows_of_a_short_split_overlap_but_are_all_different(book: Path) -> None:
    batch = task_of(book, held_out_windows=2000).held_out(Split.VAULT)
    assert len(np.unique(batch.inputs, axis=0)) == 2000


def test_text_that_is_too_small_is_refused_with_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("a short note\n" * 50)
    with pytest.raises(
        DataError, match=r"It has 65\d bytes; its validation part has \d+ tokens and needs 72 .* at least about"
    ):
        task_of(path)
    with pytest.raises(DataError, match="train part"):
        task_of(path, context=2000)


def test_the_size_that_is_asked_for_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("a short note\n" * 50)
    with pytest.raises(DataError) as caught:
        task_of(path)
    wanted = int(str(caught.value).split("at least about ")[1].split(" bytes")[0].replace(",", ""))
    path.write_text("a short note\n" * (wanted // 13 + 10))
    assert task_of(path).held_out(Split.VAULT).inputs.shape == (40, 32)


def test_bits_per_byte_can_be_computed(book: Path) -> None:
    plain, merged = task_of(book), task_of(book, vocabulary="bpe:300")
    assert plain.bytes_per_token(Split.VALIDATION) == 1.0
    assert 1.5 < merged.bytes_per_token(Split.VALIDATION) < 8
    assert merged.vocabulary == 300
    assert "300 BPE tokens" in merged.description
    assert merged.tokenizer_model.startswith("{")


def test_the_fingerprint_follows_what_changes_batches_and_nothing_else(book: Path) -> None:
    before = task_of(book).fingerprint
    assert task_of(book, steps=7).fingerprint == before
    others = [{"context": 16}, {"batch": 4}, {"held_out_windows": 20}, {"vocabulary": "bpe:300"}]
    assert before not in {task_of(book, **other).fingerprint for other in others}
    book.write_text(book.read_text().replace("square", "Square", 1))
    assert task_of(book).fingerprint != before


@pytest.mark.parametrize("vocabulary", ["bytes", "bpe:300"])
def test_a_windows_document_is_the_file_in_which_it_begins(tmp_path: Path, vocabulary: str) -> None:
    (tmp_path / "texts").mkdir()
    for number in range(800):
        lines = "".join(f"the square of {n} is {n**2}, and of file {number}.\n" for n in range(number, number + 8))
        (tmp_path / "texts" / f"{number}.txt").write_text(lines)
    task = task_of(tmp_path / "texts", vocabulary=vocabulary, held_out_windows=30)
    raw = text_corpus(tmp_path / "texts", tmp_path / "cache").held_out(Split.FRESH).tobytes()
    documents, rows = task.documents(Split.FRESH), task.held_out(Split.FRESH).inputs
    assert len(documents) == len(rows) == 30
    assert 16 <= len(set(documents.tolist())) <= raw.count(b"\0")
    texts = [bytes_of(task, row) for row in rows]
    files = [raw[: raw.index(text)].count(b"\0") for text in texts]
    assert documents.tolist() == [sorted(set(files)).index(file) for file in files]


def bytes_of(task: LanguageTask, row: np.ndarray) -> bytes:
    if not task.tokenizer_model:
        return bytes(row.tolist())
    return Tokenizer.from_str(task.tokenizer_model).decode(row.tolist(), skip_special_tokens=False).encode()


def test_windows_of_one_file_are_grouped_with_their_neighbours(book: Path) -> None:
    documents = task_of(book).documents(Split.VAULT)
    assert documents.tolist() == sorted(documents.tolist())
    assert set(np.bincount(documents)) == {2, 3}
    assert len(set(documents.tolist())) == FEWEST_DOCUMENTS
