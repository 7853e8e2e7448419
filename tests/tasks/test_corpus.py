import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from asi_arch.domain.errors import DataError
from asi_arch.domain.profile import Split
from asi_arch.domain.record import sha256
from asi_arch.tasks import corpus as corpus_module
from asi_arch.tasks.corpus import Corpus, stdlib_corpus, text_corpus

LINES = "".join(f"line {number} of a text with some words in it, ünïcode\n" for number in range(400))


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the standard library."""
    cache = tmp_path_factory.mktemp("cache")
    stdlib_corpus(cache)
    return cache


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small standard library of 400 files."""
    root = tmp_path / "lib"
    for number in range(400):
        path = root / f"package{number % 7}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"value = {number}\n" * 40)
    monkeypatch.setattr(corpus_module.sysconfig, "get_paths", lambda: {"stdlib": str(root)})
    return root


def parts_of(corpus: Corpus) -> list[np.ndarray]:
    return [corpus.train, *(corpus.held_out(split) for split in Split)]


def texts(corpus: Corpus) -> list[set[bytes]]:
    return [set(part.tobytes().split(b"\0")) - {b""} for part in parts_of(corpus)]


def write_files(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"file {number}\n{LINES[number : 2000 + number]}")


def test_the_standard_library_comes_in_four_parts(shared_cache: Path) -> None:
    corpus = stdlib_corpus(shared_cache)
    sizes = np.array([len(part) for part in parts_of(corpus)])
    assert sizes.sum() > 5_000_000
    assert (np.abs(sizes / sizes.sum() - [0.9, 0.05, 0.025, 0.025]) < 0.04).all()
    assert corpus.description.startswith("standard library of Python 3.")
    assert "files, " in corpus.description
    assert corpus.description.endswith(" MB")
    assert corpus.train.dtype == np.uint8
    assert not corpus.train.flags.writeable


def test_a_cached_library_is_not_read_again(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stdlib_corpus(shared_cache)
    monkeypatch.delattr(corpus_module, "read_documents")
    assert stdlib_corpus(shared_cache).fingerprint == first.fingerprint


def test_files_are_split_whole_and_copies_count_once(library: Path, tmp_path: Path) -> None:
    (library / "copy.py").write_text("value = 3\n" * 40)
    corpus = stdlib_corpus(tmp_path / "cache")
    parts = texts(corpus)
    assert not any(a & b for a, b in itertools.combinations(parts, 2))
    assert set.union(*parts) == {(f"value = {number}\n" * 40).encode() for number in range(400)}
    assert ": 400 files" in corpus.description


def test_tests_and_installed_packages_are_left_out(library: Path, tmp_path: Path) -> None:
    before = stdlib_corpus(tmp_path / "cache")
    for name in ("test", "idlelib/idle_test", "site-packages/thing", "package0/tests", "package1/__pycache__", ".x"):
        (library / name).mkdir(parents=True)
        (library / name / "module.py").write_text("left out\n")
    (library / "notes.txt").write_text("left out\n")
    assert stdlib_corpus(tmp_path / "cache").fingerprint == before.fingerprint


def test_adding_a_file_moves_no_other(library: Path, tmp_path: Path) -> None:
    before = texts(stdlib_corpus(tmp_path / "cache"))
    (library / "new.py").write_text("a new module\n")
    after = stdlib_corpus(tmp_path / "cache")
    assert all(old <= new for old, new in zip(before, texts(after), strict=True))


def test_the_fingerprint_follows_content_and_names_but_not_times(library: Path, tmp_path: Path) -> None:
    before = stdlib_corpus(tmp_path / "cache").fingerprint
    path = library / "package0" / "module0.py"
    os.utime(path, (1, 1))
    assert stdlib_corpus(tmp_path / "cache").fingerprint == before
    path.write_text("changed\n")
    changed = stdlib_corpus(tmp_path / "cache").fingerprint
    path.rename(library / "package0" / "renamed.py")
    assert len({before, changed, stdlib_corpus(tmp_path / "cache").fingerprint}) == 3


def test_a_library_inside_an_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module.sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path / "python311.zip")})
    with pytest.raises(DataError, match=r"no Python files.*set language\.data"):
        stdlib_corpus(tmp_path / "cache")


@pytest.mark.parametrize("damage", [lambda content: content[:-1000], lambda _: b"", lambda _: b"rubbish" * 99])
def test_a_damaged_cache_is_noticed_and_rebuilt(library: Path, tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    before = stdlib_corpus(tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    assert np.array_equal(stdlib_corpus(tmp_path / "cache").train, before.train)
    assert len(path.read_bytes()) == len(sound)


def test_a_flipped_bit_in_the_cache_is_noticed(library: Path, tmp_path: Path) -> None:
    before = stdlib_corpus(tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    again = stdlib_corpus(tmp_path / "cache")
    assert np.array_equal(again.train, before.train)
    assert np.array_equal(again.validation, before.validation)


def test_no_cache_is_no_error(library: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    before = stdlib_corpus(tmp_path / "cache").fingerprint
    for cache in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        assert stdlib_corpus(cache).fingerprint == before
    assert not list((tmp_path / "cache").glob("*.npz.*"))


def test_a_folder_of_texts_is_split_by_file(tmp_path: Path) -> None:
    write_files(tmp_path / "texts", 300)
    corpus = text_corpus(tmp_path / "texts", tmp_path / "cache")
    assert sum(map(len, texts(corpus))) == 300
    assert corpus.description.startswith("text of texts: 300 files, 0.6 MB")


def test_a_single_file_is_split_by_blocks_of_whole_lines(tmp_path: Path) -> None:
    (tmp_path / "book.unusual").write_text(LINES)
    corpus = text_corpus(tmp_path / "book.unusual", tmp_path / "cache")
    sizes = np.array([len(part) for part in parts_of(corpus)])
    assert (np.abs(sizes / sizes.sum() - [0.9, 0.05, 0.025, 0.025]) < 0.02).all()
    lines = [part.tobytes().replace(b"\0", b"").decode().splitlines(keepends=True) for part in parts_of(corpus)]
    assert sorted(itertools.chain(*lines)) == sorted(LINES.splitlines(keepends=True))


@pytest.mark.parametrize("size", [400, 100_000])
def test_fresh_and_vault_are_the_halves_of_what_each_round_keeps_back(tmp_path: Path, size: int) -> None:
    text = "".join(f"line {number} of a long text\n" for number in range(size)).encode()
    (tmp_path / "book.txt").write_bytes(text)
    corpus = text_corpus(tmp_path / "book.txt", tmp_path / "cache")
    fresh, vault = (part.tobytes().split(b"\0") for part in (corpus.fresh, corpus.vault))
    rounds = max(1, len(text) // (20 * 64 * 1024))
    assert len(fresh) == len([piece for piece in vault if piece]) == rounds
    for first, second in zip(fresh, vault, strict=False):
        start = text.index(first)
        assert text[start : start + len(first) + len(second)] == first + second
        assert abs(len(first) - len(second)) < 80


def test_train_and_validation_are_what_they_were_before_there_was_a_fresh_part(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("".join(f"the square of {n} is {n**2}\n" for n in range(4500)))
    corpus = text_corpus(tmp_path / "book.txt", tmp_path / "cache")
    found = [sha256(part.tobytes())[:12] for part in (corpus.train, corpus.validation)]
    assert found == ["50b703a74ffa", "9a22aeae1c89"]
    assert sha256(corpus.fresh.tobytes() + corpus.vault.tobytes())[:12] == "b447f1423128"


def test_where_fresh_or_vault_gets_no_file_they_share_what_they_have(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    wanted = {"train": 36, "validation": 2, "fresh": 2}
    for number in itertools.count():
        part = corpus_module._part_of(f"{number}.txt")
        if wanted.get(part, 0):
            wanted[part] -= 1
            (tmp_path / "few" / f"{number}.txt").write_text(f"file {number}\n{LINES[:4000]}")
        if not any(wanted.values()):
            break
    corpus = text_corpus(tmp_path / "few", tmp_path / "cache")
    assert [part.tobytes().count(b"\0") for part in parts_of(corpus)] == [36, 2, 1, 1]
    assert len(corpus.fresh) == pytest.approx(len(corpus.vault), abs=100)


def test_long_lines_are_cut_between_characters(tmp_path: Path) -> None:
    (tmp_path / "line.txt").write_text("ü€𝄞" * 20_000)
    corpus = text_corpus(tmp_path / "line.txt", tmp_path / "cache")
    for part in parts_of(corpus):
        assert set(part.tobytes().decode()) <= set("ü€𝄞\0")
        assert len(part) > 1000


def test_files_that_are_no_text_are_left_out_and_counted(tmp_path: Path) -> None:
    write_files(tmp_path / "texts", 100)
    (tmp_path / "texts" / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    (tmp_path / "texts" / "zeros.md").write_bytes(b"a\0b")
    (tmp_path / "texts" / "image.png").write_bytes(b"not looked at")
    (tmp_path / "texts" / ".hidden.txt").write_text("not looked at")
    corpus = text_corpus(tmp_path / "texts", tmp_path / "cache")
    assert "100 files (2 not UTF-8 text left out)" in corpus.description


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such file or folder"),
        (lambda path: path.mkdir(), "the folder is empty"),
        (lambda path: (path.mkdir(), (path / "a.png").touch()), "no text files in the folder"),
        (lambda path: (path.mkdir(), (path / "a.txt").touch()), "no text found in 1 files"),
        (lambda path: path.write_bytes(b"\x7fELF\0\0"), r"not UTF-8 text \(binary\?\)"),
        (lambda path: path.touch(), "the file is empty"),
        (lambda path: os.mkfifo(path), "neither a file nor a folder"),
        (lambda path: path.symlink_to(path), "can't be read"),
    ],
)
def test_data_that_can_not_be_used_is_refused_with_the_reason(tmp_path: Path, make: object, words: str) -> None:
    assert callable(make)
    make(tmp_path / "data")
    with pytest.raises(DataError, match=words) as caught:
        text_corpus(tmp_path / "data", tmp_path / "cache")
    assert str(tmp_path / "data") in str(caught.value)


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path / "texts", 5)

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(DataError, match=r"0\.txt': can't be read \(Permission denied\)"):
        text_corpus(tmp_path / "texts", tmp_path / "cache")
