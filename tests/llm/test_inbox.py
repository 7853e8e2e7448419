import asyncio
import json
from pathlib import Path

import pytest

from asi_arch.domain.errors import UserError
from asi_arch.domain.minds import BadAnswer, MindUnavailable
from asi_arch.llm.inbox import InboxBackend
from asi_arch.llm.inbox_files import answer, question, waiting
from asi_arch.testing.mind_contract import Mark, make_question

GOOD = '{"score": 7}'


def inbox(folder: Path, patience_s: float = 30.0) -> InboxBackend:
    tick = asyncio.get_running_loop().time
    return InboxBackend(folder, patience_s=patience_s, tick=tick, sleep=lambda _: asyncio.sleep(0.01))


async def appears(folder: Path, count: int = 1, *, again: bool = False) -> list[str]:
    for _ in range(2000):
        found = [item for item in waiting(folder) if not again or item.is_again]
        if len(found) >= count:
            return [item.name for item in found]
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was asked")


async def test_a_person_answers_several_questions_in_any_order(desk, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    minds = desk.minds(inbox(folder))
    tasks = [asyncio.ensure_future(minds.ask(make_question(f"q{n}", subject=str(n)))) for n in range(3)]
    for name in reversed(await appears(folder, 3)):
        answer(folder, name, f'{{"score": {name.split("-")[1]}}}')
    assert [mark.score for mark in await asyncio.gather(*tasks)] == [0, 1, 2]
    assert waiting(folder) == []


@pytest.mark.parametrize("wrong", ["not json", "", "[1]", '{"score": 11}'])
async def test_what_is_wrong_with_an_answer_is_written_back(desk, tmp_path: Path, wrong: str) -> None:
    folder = tmp_path / "inbox"
    task = asyncio.ensure_future(desk.minds(inbox(folder)).ask(make_question(subject="1")))
    (name,) = await appears(folder)
    (folder / f"{name}.json").write_text(wrong or " ")
    (again,) = await appears(folder, again=True)
    assert again == name
    assert "The answer before was not accepted" in question(folder, name)
    answer(folder, name, GOOD)
    assert await task == Mark(score=7)


async def test_three_bad_answers_end_it(desk, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    task = asyncio.ensure_future(desk.minds(inbox(folder)).ask(make_question()))
    while not task.done():
        for path in folder.glob("*.md"):
            path.with_suffix(".json").write_text("no")
        await asyncio.sleep(0.02)
    with pytest.raises(BadAnswer):
        task.result()


async def test_a_question_outlives_its_process_and_its_time(desk, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    with pytest.raises(MindUnavailable, match=r"nobody answered .*judge-4-.*the question stays"):
        await desk.minds(inbox(folder, patience_s=0.05)).ask(make_question(subject="4"))
    (name,) = await appears(folder)
    answer(folder, name, GOOD)
    assert await desk.minds(inbox(folder)).ask(make_question(subject="4")) == Mark(score=7)
    assert desk.opened[0].spent() == (1, 0, 0.0)


@pytest.mark.parametrize("place", ["answered/{name}.1.json", "{name}.json"])
async def test_an_answer_taken_by_a_killed_process_is_found(desk, tmp_path: Path, place: str) -> None:
    folder = tmp_path / "inbox"
    task = asyncio.ensure_future(desk.minds(inbox(folder)).ask(make_question(subject="4")))
    (name,) = await appears(folder)
    task.cancel()
    (folder / f"{name}.md").rename(folder / "answered" / f"{name}.md")
    (folder / place.format(name=name)).write_text(GOOD)
    assert await desk.minds(inbox(folder)).ask(make_question(subject="4")) == Mark(score=7)


async def test_bad_answers_on_the_command_line_are_refused(desk, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    task = asyncio.ensure_future(desk.minds(inbox(folder)).ask(make_question("a fence: ```json", subject="9")))
    (name,) = await appears(folder)
    for text, said in (("no", "not JSON"), ("[]", "JSON object"), ("{}", "lacks score")):
        with pytest.raises(UserError, match=said):
            answer(folder, name, text)
    with pytest.raises(UserError, match="unknown fields: more"):
        answer(folder, name, json.dumps({"score": 1, "more": 2}))
    with pytest.raises(UserError, match="is not asked"):
        answer(folder, "nobody", GOOD)
    answer(folder, "judge-9", GOOD)
    assert await task == Mark(score=7)


def test_a_folder_that_is_no_inbox_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no inbox"):
        waiting(tmp_path / "nowhere")
