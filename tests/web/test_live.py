import asyncio
import json
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import Progress
from asi_arch.domain.profile import StageName
from asi_arch.engine.notices import Proposed, Recorded, Said, StageChanged, Trained
from asi_arch.engine.progress_file import FILE, ProgressFile, read_now
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.web.live import changes
from asi_arch.web.reader import Reader, ReaderClosed
from asi_arch.web.render import activity


def opened(folder: Path) -> SqliteStore:
    return SqliteStore.open(folder, clock=lambda: 5.0, owner="process 12")


async def test_open_pages_are_told_when_the_campaign_moves_and_when_its_writer_goes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create(make_campaign())
    reader = Reader(tmp_path, now=lambda: 9.0)
    events = changes(reader)

    async def told() -> dict[str, object]:
        return json.loads((await asyncio.wait_for(anext(events), 10))["data"])

    first = await told()
    assert first["running"]
    store.record(make_experiment(0), None)
    second = await told()
    assert second["number"] == reader.standing().number > int(str(first["number"]))
    store.close()
    assert not (await told())["running"]
    reader.close()


def test_what_runs_is_written_down_and_believed_only_while_somebody_holds_the_lock(tmp_path: Path) -> None:
    heard: list[object] = []
    file = ProgressFile(tmp_path, heard.append, now=lambda: 7.0)
    proposal = make_proposal("idea")
    key = RunKey(sha=proposal.sha, protocol="p", stage=StageName.LANGUAGE, seed=1)
    notices = [Proposed(3, proposal), StageChanged(3, "language"), Said("hello")]
    for notice in [*notices, Trained(3, key, Progress(2, 10, 2.5, 100.0), 2.25), StageChanged(3, "judging")]:
        file.listen(notice)
    assert heard[2] == Said("hello")
    now = read_now(tmp_path)
    assert now is not None and [(item.index, item.stage, item.trainings) for item in now.running] == [
        (3, "judging", ())
    ]

    store = opened(tmp_path)
    store.create(make_campaign())
    reader = Reader(tmp_path, now=lambda: 9.0)
    assert reader.now_running(reader.standing()) == now
    store.close()
    assert reader.now_running(reader.standing()) is None
    file.listen(Recorded(make_experiment(3, proposal), None, 1))
    assert read_now(tmp_path) == now.model_copy(update={"running": ()})
    reader.close()


def test_rubbish_in_its_place_is_as_good_as_nothing(tmp_path: Path) -> None:
    assert read_now(tmp_path) is None
    for text in ("", "{", '{"at": "x"}', "[]"):
        (tmp_path / FILE).write_text(text)
        assert read_now(tmp_path) is None


def test_a_killed_search_is_not_called_running_nor_ended(tmp_path: Path) -> None:
    from asi_arch.domain.campaign import EventKind

    store = opened(tmp_path)
    store.create(make_campaign())
    reader = Reader(tmp_path, now=lambda: 65.0)
    assert activity(reader.standing(), 65.0) == "Running: process 12."
    store.append(EventKind.OPENED)
    store.close()  # as the kernel does for who is killed
    assert activity(reader.standing(), 65.0).startswith("Not running, and not ended as it should (killed?); last heard")
    store = opened(tmp_path)
    store.append(EventKind.CLOSED)
    store.close()
    assert activity(reader.standing(), 65.0) == "Not running; the search ended as it should 60 s ago."
    reader.close()


def test_what_has_come_since_is_in_the_next_digest(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create(make_campaign())
    store.record(make_experiment(0, make_proposal("base", author=Author.BASELINE)), None)
    reader = Reader(tmp_path, now=lambda: 9.0)
    first = reader.digest(patience_s=10)
    store.record(make_experiment(1, make_proposal("new", parent=0)), 0.5)
    second = reader.digest()
    store.close()
    assert first is not None and [line.summary.index for line in first.lines] == [0]
    assert second is not None and [line.summary.name for line in second.lines] == ["base", "new"]
    reader.close()


def test_a_first_reading_is_broken_off_when_nobody_waits_for_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create(make_campaign())
    with store.together():
        for index in range(80):
            store.record(make_experiment(index), None)
    store.close()
    reader = Reader(tmp_path, now=lambda: 9.0)
    reader.close()
    with pytest.raises((ReaderClosed, CancelledError)):
        reader.digest(patience_s=10)
