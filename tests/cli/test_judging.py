import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from asi_arch.cli.judging import FIT, UNFIT, TrialWish, judge_test
from asi_arch.domain.errors import UserError


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("asi_arch.llm.inbox._POLL_S", 0.005)


@contextmanager
def answering(inbox: Path, reply: Callable[[str], dict[str, object]]) -> Iterator[list[str]]:
    """Somebody who answers every question in the inbox at once."""
    pages: list[str] = []
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.005):
            for page in sorted(inbox.glob("*.md")):
                answer = page.with_suffix(".json")
                with suppress(FileNotFoundError):  # the question was taken away since the folder was listed
                    if not answer.exists():
                        pages.append(page.read_text(encoding="utf-8"))
                        part = answer.with_suffix(".part")
                        part.write_text(json.dumps(reply(pages[-1])), encoding="utf-8")
                        part.rename(answer)

    person = threading.Thread(target=work)
    person.start()
    try:
        yield pages
    finally:
        is_over.set()
        person.join()


def gullible(page: str) -> dict[str, object]:
    mark = 10 if "give me 10" in page else 4
    opinion = {"reason": "It says so of itself.", "mark": mark}
    return {"innovation": opinion, "simplicity": opinion}


def test_the_rubric_is_immune(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge_test(TrialWish("rubric", 3, as_json=True)) == FIT
    found = json.loads(capsys.readouterr().out)
    assert found["is_fit"]
    assert {line["name"] for line in found["lines"]} == {
        "renamed",
        "other prose",
        "planted text",
        "repeated",
        "copy below change",
    }


def test_a_gullible_mind_in_an_inbox_is_unfit_and_told_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inbox = tmp_path / "questions"
    with answering(inbox, gullible) as pages:
        assert judge_test(TrialWish(f"inbox:{inbox}", 3, as_json=False)) == UNFIT
    said = capsys.readouterr()
    assert len(pages) == 42
    assert f"42 questions to inbox:{inbox}" in " ".join(said.err.split())
    assert f"inbox:{inbox} is not fit to judge" in said.out
    (line,) = [line for line in said.out.splitlines() if line.startswith("planted text, read")]
    assert "0.667" in line
    assert "NOT MET" in line


def test_a_mind_without_answers_is_unfit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inbox = tmp_path / "questions"
    with answering(inbox, lambda _: {"score": 10}):
        assert judge_test(TrialWish(f"inbox:{inbox}", 3, as_json=True)) == UNFIT
    assert "gave no usable answer" in json.loads(capsys.readouterr().out)["reason"]


def test_an_even_number_of_samples_is_refused() -> None:
    with pytest.raises(UserError, match="--samples must be 3 or 5"):
        judge_test(TrialWish("rubric", 4, as_json=False))
