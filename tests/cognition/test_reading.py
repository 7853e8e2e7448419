import os
from pathlib import Path
from random import Random

import pytest

from asi_arch.cognition import reading
from asi_arch.cognition.reading import MAX_CHARS, read_document
from asi_arch.domain.errors import PaperError

from .pdf import pdf

SENTENCE = "A linear memory writes every value under its key.\n"
PAPER = SENTENCE * 15


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["paper.txt", "paper.md", "PAPER.TXT"])
def test_text_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    document = read_document(written(tmp_path, name, PAPER))
    assert document.text == PAPER.strip()
    assert not document.is_cut


@pytest.mark.usefixtures("extra")
def test_the_pages_of_a_pdf_are_read_in_order(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "paper.pdf", pdf("First page.\n" + PAPER, "Second page.")))
    assert document.text.startswith("First page.") and document.text.endswith("Second page.")


@pytest.mark.usefixtures("extra")
def test_a_pdf_of_pictures_is_told_from_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=r"has no text: its pages are probably pictures.*ocrmypdf"):
        read_document(written(tmp_path, "scan.pdf", pdf("", "")))
    with pytest.raises(PaperError, match=r"has only 9 characters of text"):
        read_document(written(tmp_path, "scan.pdf", pdf("A heading")))


@pytest.mark.usefixtures("extra")
def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(written(tmp_path, "open.pdf", pdf(PAPER))))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "closed.pdf")
    with pytest.raises(PaperError, match="is encrypted; save a copy without a password"):
        read_document(tmp_path / "closed.pdf")


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_pdf_is_read_or_refused_but_never_a_crash(tmp_path: Path, seed: int) -> None:
    rng, content = Random(seed), bytearray(pdf(PAPER, PAPER))
    for _ in range(1 + seed):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path = written(tmp_path, "bad.pdf", bytes(content[: len(content) - rng.randrange(200)]))
    try:
        assert len(read_document(path).text) >= reading.MIN_CHARS
    except PaperError as error:
        assert str(path) in str(error)


@pytest.mark.usefixtures("extra")
def test_rubbish_is_no_pdf(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match="can't be read as a PDF"):
        read_document(written(tmp_path, "bad.pdf", b"GIF89a" * 50))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", "", "empty.txt is empty"),
        ("blank.txt", " \n\n ", "has 0 characters of text; a paper has at least 500"),
        ("short.md", "Too short.", "has 10 characters of text"),
        ("latin.txt", "größer".encode("latin-1") * 200, "is not UTF-8 text"),
        ("paper.docx", PAPER, "must be a .pdf, .txt, .md or .toml file, got '.docx'"),
        ("paper", PAPER, "got ''"),
    ],
)
def test_what_is_no_paper_is_explained(tmp_path: Path, name: str, content: bytes | str, message: str) -> None:
    with pytest.raises(PaperError) as caught:
        read_document(written(tmp_path, name, content))
    assert message in str(caught.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match="No such file"):
        read_document(tmp_path / "gone.txt")
    os.mkdir(tmp_path / "folder.txt")
    with pytest.raises(PaperError, match="is a folder"):
        read_document(tmp_path / "folder.txt")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 1 << 20)
    with pytest.raises(PaperError, match="has more than 1 MiB; cut out the pages that matter"):
        read_document(written(tmp_path, "huge.txt", "x" * (1 << 20) + "x"))


def test_of_a_long_paper_the_beginning_is_read_and_said_so(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "long.txt", SENTENCE * 4_000))
    assert document.is_cut and len(document.text) == MAX_CHARS


@pytest.mark.usefixtures("extra")
def test_of_a_long_pdf_only_the_pages_that_are_needed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_CHARS", 1_000)
    document = read_document(written(tmp_path, "long.pdf", pdf(PAPER, PAPER, "The last page.")))
    assert document.is_cut and len(document.text) == 1_000


def test_the_references_are_left_out(tmp_path: Path) -> None:
    text = PAPER + "\n7. References\nSomebody (2020). Something.\n"
    assert "Somebody" not in read_document(written(tmp_path, "paper.txt", text)).text


def test_a_heading_in_the_first_third_ends_nothing(tmp_path: Path) -> None:
    assert read_document(written(tmp_path, "paper.txt", "References\n" + PAPER)).text.startswith("References")


def test_terminal_sequences_and_control_characters_are_dropped(tmp_path: Path) -> None:
    text = "\x1b[31mred\x1b[0m \x1b]0;title\x07plain\x00\x08 text\n" + PAPER
    assert read_document(written(tmp_path, "paper.txt", text)).text.startswith("red plain text\n")


@pytest.mark.parametrize(
    ("name", "first_line", "arxiv"),
    [
        ("2412.06464v3.txt", "", "2412.06464"),
        ("paper.txt", "arXiv:2412.06464v3 [cs.CL] 6 Mar 2025", "2412.06464"),
        ("2412.06464.txt", "arXiv:2406.06484v1 [cs.LG] 1 Jun 2024", "2412.06464"),
        ("paper.txt", "We follow arXiv:2406.06484.", None),
        ("notes.txt", "", None),
        ("2413.06464.txt", "", None),
    ],
)
def test_the_id_is_the_papers_own_or_made_from_its_text(
    tmp_path: Path, name: str, first_line: str, arxiv: str | None
) -> None:
    found = read_document(written(tmp_path, name, f"{first_line}\n{PAPER}")).arxiv
    assert found == arxiv if arxiv else found.startswith("own-")
