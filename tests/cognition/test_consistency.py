from pathlib import Path

import pytest

from asi_arch.cognition.consistency import inspect, refuse_duplicate
from asi_arch.cognition.corpus import PACKAGED, save_paper
from asi_arch.cognition.findings import Finding, load_findings
from asi_arch.domain.errors import PaperError

from .conftest import MakePaper

FIRST = "Recall of early pairs falls once more pairs are written than the state has dimensions, whatever the keys are."
SECOND = "The decay gate saturates near one after warm-up, so that old context is never forgotten in long documents."


def test_the_papers_that_ship_are_sound() -> None:
    assert inspect([PACKAGED], load_findings()).complaints == ()


def test_a_sound_folder_gives_no_complaint(tmp_path: Path, make_paper: MakePaper) -> None:
    save_paper(make_paper("2401.00001", FIRST, SECOND), tmp_path)
    found = inspect([tmp_path], [Finding(text="x", arxiv=("2401.00001",))])
    assert (found.complaints, len(found.papers), found.entries) == ((), 1, 2)


def test_all_bad_files_are_told_not_only_the_first(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('arxiv = "2401.00001"\n')
    found = inspect([tmp_path])
    assert len(found.complaints) == 2
    assert "entries is missing" in found.complaints[0]


def test_a_symptom_that_is_there_twice_is_told(tmp_path: Path, make_paper: MakePaper) -> None:
    save_paper(make_paper("2401.00001", FIRST), tmp_path)
    save_paper(make_paper("2402.00001", FIRST.replace("early", "late")), tmp_path)
    [complaint] = inspect([tmp_path]).complaints
    assert "triggers of 2401.00001-1 and 2402.00001-1" in complaint


def test_a_paper_in_two_folders_is_told(tmp_path: Path, make_paper: MakePaper) -> None:
    for name, trigger in (("one", FIRST), ("two", SECOND)):
        save_paper(make_paper("2401.00001", trigger), tmp_path / name)
    [complaint] = inspect([tmp_path / "one", tmp_path / "two"]).complaints
    assert "2401.00001 is in" in complaint and "one" in complaint


def test_a_dead_id_is_told(tmp_path: Path, make_paper: MakePaper) -> None:
    save_paper(make_paper("2401.00001", FIRST), tmp_path)
    found = inspect([tmp_path], [Finding(text="x", arxiv=("2401.00001", "2401.99999"))])
    assert found.complaints == ("finding 1 of the test set names 2401.99999, which no paper of the base has",)


def test_an_id_of_another_year_and_a_wrong_file_name_are_told(tmp_path: Path, make_paper: MakePaper) -> None:
    path = save_paper(make_paper("1901.00001", FIRST), tmp_path)
    path.rename(tmp_path / "delta.toml")
    name, year = inspect([tmp_path]).complaints
    assert "must be named 1901.00001.toml" in name
    assert "was given out in 2019, but the year is 2024" in year


def test_a_trigger_of_a_few_words_is_told(tmp_path: Path, make_paper: MakePaper) -> None:
    save_paper(make_paper("2401.00001", "Recall falls."), tmp_path)
    [complaint] = inspect([tmp_path]).complaints
    assert "trigger of 2401.00001-1 has fewer than 12 different words" in complaint


def test_adding_what_is_there_is_refused(make_paper: MakePaper) -> None:
    there = [make_paper("2401.00001", FIRST)]
    with pytest.raises(PaperError, match=r"2401\.00001 is in the base already"):
        refuse_duplicate(make_paper("2401.00001", SECOND), there)
    with pytest.raises(PaperError, match="say what is particular to this idea"):
        refuse_duplicate(make_paper("2402.00001", SECOND, FIRST), there)
    refuse_duplicate(make_paper("2402.00001", SECOND), there)


def test_twins_in_the_base_do_not_keep_others_out(make_paper: MakePaper) -> None:
    there = [make_paper("2401.00001", FIRST), make_paper("2401.00002", FIRST)]
    refuse_duplicate(make_paper("2402.00001", SECOND), there)
