"""`asi-arch import gallery` and `--adapter fla`, as a user types them."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

pytestmark = pytest.mark.torch

PROGRAMS = Path(__file__).parents[1] / "lab" / "adapters" / "programs"


def entry(program: str = "other_name", **changes: Any) -> dict[str, Any]:
    source = (PROGRAMS / f"{program}.py").read_text()
    return {"name": program, "program": source, "motivation": "Why.", "result": None, "index": 0, **changes}


def edited(program: str, **changes: Any) -> dict[str, Any]:
    return {**entry(**changes), "program": program}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "is not JSON"),
        ("{}", "must hold a list of objects with name and program, got a dict"),
        ("[]", "got an empty list"),
        ([3], "entry 0: must be an object, got a int"),
        ([{"name": "a"}], "entry 0: 'program' is missing"),
        ([entry(motivation=7)], "entry 0: 'motivation' must be a text, got a int"),
        ([entry(name=" ")], "entry 0: 'name' is empty"),
        ([entry(name="a\nb")], "entry 0: 'name' must be one line"),
        ([entry(), edited(index=1, program="def f(:")], "entry 1: 'program' is not valid Python: "),
        ([edited(program="x = 1\0")], "entry 0: 'program' is not valid Python"),
        ([edited(program="x = '\ud800'")], "entry 0: 'program' is not valid Python"),
        ([entry(index=-1)], "entry 0: 'index' must be a whole number from 0 on, got -1"),
        ([entry(index=True)], "entry 0: 'index' must be a whole number from 0 on, got True"),
        ([entry(), entry()], "entry 1: 'index' 0 is that of entry 0 as well"),
        ([entry(parent=[1])], "entry 0: 'parent' must be the index or the name of another entry or null, got [1]"),
        ([entry(parent=0.5)], "entry 0: 'parent' must be the index or the name of another entry or null, got 0.5"),
        ([entry(), entry(index=None)], "entry 1: 'index' is missing"),
        ([entry(parent="other_name")], "entry 0: 'parent' must be smaller than its own index 0, got 0"),
        ([entry(parent=5)], "entry 0: 'parent' must be smaller than its own index 0, got 5"),
    ],
)
def test_a_bad_entry_is_named_and_nothing_is_stored(tmp_path: Path, content: Any, message: str) -> None:
    from asi_arch.cli.gallery import ImportWish, import_gallery
    from asi_arch.domain.errors import CandidateError

    file = tmp_path / "gallery.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(CandidateError) as error:
        import_gallery(ImportWish(file, "fla", "smoke", None, tmp_path / "state", True))
    assert message in str(error.value)
    assert not (tmp_path / "state").exists()


def test_every_complaint_is_listed_up_to_ten(tmp_path: Path) -> None:
    from asi_arch.cli.gallery import read_gallery
    from asi_arch.domain.errors import CandidateError

    file = tmp_path / "gallery.json"
    file.write_text(json.dumps([entry(name="", index=-1, parent=-2) for _ in range(4)]))
    with pytest.raises(CandidateError, match="and 2 more") as error:
        read_gallery(file)
    assert str(error.value).count("\n  entry ") == 10


def test_numbers_and_parents_are_read_in_every_usual_form(tmp_path: Path) -> None:
    from asi_arch.cli.gallery import read_gallery

    def written(*entries: dict[str, Any]) -> list[tuple[int, int | None]]:
        file = tmp_path / "gallery.json"
        file.write_text(json.dumps(entries))
        return [(found.number, found.parent) for found in read_gallery(file).entries]

    first = entry(index="4", name="first", parent=-1)
    assert written(first, entry(index=7.0, parent="4")) == [(4, None), (7, 4)]
    assert written(first, entry(index=7, parent=4.0), entry(index=8, parent="first")) == [(4, None), (7, 4), (8, 4)]
    assert written(first, entry(index=7, parent="of another file"))[1] == (7, -1)
    bare = [{"name": f"{place}", "program": "x = 1", "parent": place - 1} for place in range(3)]
    assert written(*bare) == [(0, None), (1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, ""),
        ("loss,4.5\nacc,0.4", "loss,4.5\nacc,0.4"),
        ({"train": "step,loss"}, '{"train": "step,loss"}'),
        ([1, float("nan")], "[1, NaN]"),
        (4.5, "4.5"),
    ],
)
def test_a_result_of_any_shape_is_kept_as_text(tmp_path: Path, result: Any, text: str) -> None:
    from asi_arch.cli.gallery import read_gallery

    (tmp_path / "gallery.json").write_text(json.dumps([entry(result=result)]))
    assert read_gallery(tmp_path / "gallery.json").entries[0].result == text


def test_broken_programs_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    from asi_arch.cli.gallery import read_gallery
    from asi_arch.domain.errors import CandidateError

    file = tmp_path / "gallery.json"
    file.write_text(json.dumps([edited(index=3, program="def f(:"), entry(index=5, parent=3)]))
    with pytest.raises(CandidateError, match="leave such entries out with --skip-broken"):
        read_gallery(file)
    found = read_gallery(file, skip_broken=True)
    assert [item.number for item in found.entries] == [5]
    assert found.left_out == ["entry 0: 'program' is not valid Python: invalid syntax (line 1)"]
    file.write_text(json.dumps([edited(program="def f(:")]))
    with pytest.raises(CandidateError, match="nothing was stored"):
        read_gallery(file, skip_broken=True)
    file.write_text(json.dumps([edited(program="def f(:"), entry(index=-1)]))
    with pytest.raises(CandidateError, match="entry 1: 'index' must be a whole number"):
        read_gallery(file, skip_broken=True)


@pytest.mark.parametrize(
    ("name", "message"), [("missing.json", "No such file"), (".", "is a folder"), ("binary.json", "is not UTF-8 text")]
)
def test_a_file_that_is_no_gallery_is_explained(asi_arch: Run, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    done = asi_arch("import", "gallery", name)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_adapter_is_explained(asi_arch: Run) -> None:
    done = asi_arch("check", str(PROGRAMS / "other_name.py"), "--adapter", "mamba")
    assert done.returncode == 2
    assert "--adapter must be one of mixer, fla, got 'mamba'" in done.stderr


@pytest.mark.slow
def test_a_published_program_is_checked_and_trained_outside_a_campaign(asi_arch: Run) -> None:
    done = asi_arch("train", PROGRAMS / "gate_floor.py", "-a", "fla", "-p", "smoke", "--json")
    assert done.returncode == 0, done.stderr
    own = json.loads(done.stdout)[0]
    assert own["verdict"] == "measured"
    assert "moves on once for each training step" in own["findings"][0]["message"]


@pytest.mark.slow
def test_an_imported_gallery_is_taken_up_by_the_next_run(asi_arch: Run, tmp_path: Path) -> None:
    leak = entry()["program"].replace("return self.out(torch.flatten(o, -2))", "return self.out(o.flatten(-2).flip(1))")
    entries = [
        entry(index=7, result={"loss": 4.5}, extra="ignored"),
        entry("auxiliary_loss", index=9, parent=7),
        edited(name="leak", program=leak, index=12, parent=3),
        edited(name="broken", program="def f(:", index=13),
    ]
    (tmp_path / "gallery.json").write_text(json.dumps(entries))
    done = asi_arch("import", "gallery", "gallery.json", "-p", "smoke", "-s", "state", "--skip-broken", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["left_out"] == ["entry 3: 'program' is not valid Python: invalid syntax (line 1)"]
    assert (summary["imported"], summary["parents_unknown"], summary["experiments_needed"]) == (3, 1, 5)

    run = asi_arch("run", "-n", "5", "-s", "state", "--plain", "--workers", "1")
    assert run.returncode == 0, run.stderr
    found = [json.loads(asi_arch("show", str(index), "-s", "state", "--json").stdout) for index in (1, 3, 4)]
    assert [item["name"] for item in found] == ["other_name", "auxiliary_loss", "leak"]
    assert [item["outcome"]["kind"] for item in found] == ["measured", "measured", "rejected"]
    assert found[1]["parent"]["index"] == 1

    again = asi_arch("import", "gallery", "gallery.json", "-s", "state", "--skip-broken")
    assert again.returncode == 0, again.stderr
    assert "0 programs imported" in again.stdout
