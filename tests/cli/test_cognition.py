"""The commands of the cognition base, with the papers that ship and a folder of the user's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from asi_arch.agents.minds.extractor import Extracted, ExtractedEntry
from asi_arch.cli import cognition, retrieval
from asi_arch.cognition.corpus import PACKAGED, load_corpus, read_paper
from asi_arch.cognition.embedding import complaint_about_embeddings
from asi_arch.domain.cognition import Theme
from asi_arch.domain.errors import PaperError, UserError
from asi_arch.domain.minds import Question

from .conftest import Run

OWN = """\
arxiv = "own-notes"
year = 2026
name = "My notes"
theme = "delta rule"

[[entries]]
id = "own-notes-1"
trigger = "Zebras and quaggas are mixed up by the memory whenever both were seen in the same week by one keeper."
background = "Nobody kept them apart."
algorithm = "z = q + stripes"
guidance = "Count the stripes."
"""
TRIGGER = OWN[OWN.index("Zebras") : OWN.index('"\nbackground')]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, not yet made; the cache is empty, and searches are by words, which needs no encoding."""
    monkeypatch.setenv("ASI_ARCH_PAPERS", str(tmp_path / "papers"))
    monkeypatch.setenv("ASI_ARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "papers"


@pytest.fixture
def by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asi_arch.papers.complaint_about_embeddings", lambda: "faiss not installed")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.toml"
    path.write_text(OWN)
    return path


def wish(file: Path, *, answer: bool | None = None) -> cognition.AddWish:
    """With an answer the user is asked; without one it is `--yes`."""
    return cognition.AddWish(file, answer is None, lambda _: bool(answer))


@pytest.mark.usefixtures("own", "by_words")
def test_a_search_gives_papers_best_first_with_their_ids(capsys: pytest.CaptureFixture[str]) -> None:
    paper = load_corpus(Path("/nonexistent")).papers[0]
    cognition.search(paper.entries[0].trigger, 3, as_json=True)
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found[0]["arxiv"], found[0]["id"]) == (paper.arxiv, paper.entries[0].id)
    assert len({item["arxiv"] for item in found}) == 3
    assert {"year", "paper", "theme", "score", "trigger", "background", "algorithm", "guidance"} < set(found[0])
    assert "searching by words only, which finds less: faiss not installed" in err


@pytest.mark.usefixtures("own", "by_words")
def test_a_search_without_a_result_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cognition.search("zzyzx", 3, as_json=False)
    assert "Nothing in the base has a word in common with that." in capsys.readouterr().out
    cognition.search("zzyzx", 3, as_json=True)
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.usefixtures("by_words")
def test_an_added_paper_is_shown_found_and_checked(own: Path, notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cognition.add(wish(notes))
    assert "Count the stripes." in capsys.readouterr().out
    cognition.search("the memory mixes up zebras", 1, as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["arxiv"] == "own-notes"
    cognition.show("my notes", as_json=True)
    assert json.loads(capsys.readouterr().out)["entries"][0]["id"] == "own-notes-1"
    assert cognition.check(as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["own_folder"] == str(own)


def test_nothing_is_added_that_the_user_does_not_confirm(
    own: Path, notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cognition.add(wish(notes, answer=False))
    assert "Nothing was added." in capsys.readouterr().out
    assert not own.exists()
    cognition.add(wish(notes, answer=True))
    assert [path.name for path in own.iterdir()] == ["own-notes.toml"]


def test_a_duplicate_is_refused(own: Path, notes: Path, tmp_path: Path) -> None:
    cognition.add(wish(notes))
    with pytest.raises(PaperError, match="own-notes is in the base already"):
        cognition.add(wish(notes))
    twin = tmp_path / "twin.toml"
    twin.write_text(OWN.replace("own-notes", "own-twin"))
    with pytest.raises(PaperError, match="say what is particular"):
        cognition.add(wish(twin))
    with pytest.raises(PaperError, match="is in the base already"):
        cognition.add(wish(sorted(PACKAGED.glob("*.toml"))[0]))
    assert len(list(own.iterdir())) == 1


def test_an_entry_without_trigger_is_refused(own: Path, notes: Path) -> None:
    notes.write_text("\n".join(line for line in OWN.splitlines() if not line.startswith("trigger")))
    with pytest.raises(PaperError, match=r"entry 1\.trigger is missing"):
        cognition.add(wish(notes))
    assert not own.exists()


@pytest.mark.usefixtures("own")
def test_a_paper_without_a_model_is_explained(tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(b"%PDF")
    with pytest.raises(UserError, match=r"by a language model.*write the entries into a \.toml file"):
        cognition.add(wish(tmp_path / "paper.pdf"))


class Mind:
    """Answers with one entry, whatever the paper."""

    async def ask(self, question: Question[Any]) -> Any:
        entry = ExtractedEntry(trigger=TRIGGER, background="b", algorithm="a = b", guidance="g")
        return Extracted(name="Stripes", year=2020, theme=Theme.SPARSE, entries=[entry])


def test_a_models_entries_are_shown_before_they_are_stored(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = tmp_path / "2412.06464v1.md"
    paper.write_text("Zebras have stripes.\n" * 5_000)
    (tmp_path / "papers").mkdir()
    if (PACKAGED / "2412.06464.toml").exists():
        with pytest.raises(PaperError, match=r"is 2412\.06464, which is in the base already"):
            cognition.add(wish(paper, answer=True), Mind())
    paper = paper.rename(tmp_path / "stripes.md")
    cognition.add(wish(paper, answer=False), Mind())
    shown = capsys.readouterr()
    assert TRIGGER in shown.out and "only its first 60,000 characters are read" in shown.err
    assert list(own.iterdir()) == []
    cognition.add(wish(paper, answer=True), Mind())
    [stored] = own.iterdir()
    assert read_paper(stored).name == "Stripes" and stored.name.startswith("own-")


@pytest.mark.usefixtures("own")
def test_all_papers_are_listed_by_theme(capsys: pytest.CaptureFixture[str]) -> None:
    cognition.show(None, as_json=False)
    out = capsys.readouterr().out
    for paper in load_corpus(Path("/nonexistent")).papers:
        assert paper.arxiv in out and paper.theme.value in out
    cognition.show(None, as_json=True)
    assert len(json.loads(capsys.readouterr().out)) == len(list(PACKAGED.glob("*.toml")))


@pytest.mark.usefixtures("own")
def test_an_unknown_paper_is_named() -> None:
    with pytest.raises(UserError, match=r"no paper '1234\.56789' in the base; `asi-arch cognition show` lists all"):
        cognition.show("1234.56789", as_json=False)


def test_complaints_make_the_check_fail(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.mkdir()
    (own / "bad.toml").write_text("arxiv = 7\n")
    assert cognition.check(as_json=False) == 1
    assert "bad.toml" in capsys.readouterr().out


@pytest.mark.usefixtures("own", "by_words")
def test_the_bench_measures_a_test_set_and_says_what_it_could_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retrieval, "complaint_about_embeddings", lambda: "faiss not installed")
    monkeypatch.setattr(retrieval, "_cold", lambda _: {"cold_s": None, "first_s": None})
    paper = load_corpus(Path("/nonexistent")).papers[0]
    tests = tmp_path / "tests.toml"
    tests.write_text(f"[[findings]]\ntext = '''{paper.entries[0].trigger}'''\narxiv = ['{paper.arxiv}']\n")
    retrieval.bench(tests, as_json=True)
    found = json.loads(capsys.readouterr().out)
    [line] = found["searches"]
    assert (line["search"], line["recall_at_3"], line["mrr"], found["findings"]) == ("bm25", 1.0, 1.0, 1)
    assert found["missing"] == "faiss not installed"
    assert 0 < line["warm_ms"] <= line["warm_most_ms"]
    assert found["novelty"]["motivations"] == 10_000


@pytest.mark.usefixtures("own", "by_words")
def test_without_a_test_set_recall_is_called_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retrieval, "load_findings", lambda _: ())
    monkeypatch.setattr(retrieval, "_cold", lambda _: {"cold_s": None, "first_s": None})
    retrieval.bench(None, as_json=False)
    out = capsys.readouterr().out
    assert "There is no test set yet, so recall was not measured" in out
    assert "1.000" not in out
    assert "The nearest of 10,000 motivations by " in out


def test_the_commands_are_wired(asi_arch: Run, own: Path, environment: dict[str, str], notes: Path) -> None:
    environment.update(ASI_ARCH_PAPERS=str(own))
    refused = asi_arch("cognition", "add", notes)
    assert refused.returncode == 2 and "there is no terminal to ask on; give --yes" in refused.stderr
    added = asi_arch("cognition", "add", notes, "--yes")
    assert (added.returncode, list(own.iterdir())) == (0, [own / "own-notes.toml"])
    assert "Zebras" in asi_arch("cognition", "show", "own-notes-1").stdout
    (own / "bad.toml").write_text("")
    assert asi_arch("cognition", "check").returncode == 1
    broken = asi_arch("cognition", "search", "gates")
    assert broken.returncode == 2 and "bad.toml" in broken.stderr and "Traceback" not in broken.stderr


def test_the_real_search_finds_a_trigger_by_itself(asi_arch: Run, environment: dict[str, str], tmp_path: Path) -> None:
    if complaint := complaint_about_embeddings():
        pytest.skip(f"search by meaning is NOT TESTED here: {complaint}")
    environment.update(ASI_ARCH_PAPERS=str(tmp_path / "papers"))
    paper = load_corpus(Path("/nonexistent")).papers[-1]
    done = asi_arch("cognition", "search", "--json", paper.entries[0].trigger, timeout=280)
    assert json.loads(done.stdout)[0]["arxiv"] == paper.arxiv, done.stderr


@pytest.mark.slow
def test_the_bench_times_whole_searches(asi_arch: Run, own: Path, environment: dict[str, str]) -> None:
    environment.update(ASI_ARCH_PAPERS=str(own))
    found = json.loads(asi_arch("bench", "cognition", "--json", timeout=280).stdout)
    assert found["cold_s"] > 0 and found["first_s"] > 0
    assert found["searches"][0]["warm_ms"] < 1000 * found["cold_s"]


def test_bench_is_still_a_command_of_its_own(asi_arch: Run) -> None:
    told = asi_arch("bench", "--help").stdout
    assert "--quick" in told and "cognition" in told
