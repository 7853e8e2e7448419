from pathlib import Path

from asi_arch.web.literature import Literature, Reading


def test_ids_are_given_their_papers_and_unknown_ones_stay_ids(tmp_path: Path) -> None:
    found = Literature(tmp_path).readings(["2312.04927-1", "0000.00000-9"])
    assert (found[0].year, bool(found[0].paper), bool(found[0].trigger)) == (2023, True, True)
    assert found[1] == Reading("0000.00000-9")


def test_a_damaged_paper_of_the_users_hides_titles_and_no_page(tmp_path: Path) -> None:
    (tmp_path / "own-1.toml").write_text("rubbish")
    assert Literature(tmp_path).readings(["2312.04927-1"]) == [Reading("2312.04927-1")]
