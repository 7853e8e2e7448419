import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from asi_arch.cli import agenda as command
from asi_arch.cli.run import RunWish, run
from asi_arch.domain.agenda import Agenda, Findings
from asi_arch.domain.campaign import Campaign, EventKind
from asi_arch.domain.errors import StoreLocked, UserError
from asi_arch.domain.profile import AgentsSpec
from asi_arch.folders import opened_store
from asi_arch.report.payload import status_payload
from asi_arch.report.terminal import status_view
from asi_arch.settings import load_profile
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign

FINDINGS = Findings(inventions=9, measured=9, pairs=7)


def agenda(snapshot: int) -> Agenda:
    text = f"What was learnt up to {snapshot}."
    return Agenda(snapshot=snapshot, sentences=(text,), weights={"rotary": 0.5}, findings=FINDINGS)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    profile = load_profile("cpu").model_copy(update={"agents": AgentsSpec(reflection=True)})
    with opened_store(tmp_path, read_only=False) as store:
        store.create(
            Campaign(profile=profile, seed=0, data_fingerprint="d", data_description="", version="0", created_at=0.0)
        )
        for snapshot in (8, 12):
            store.append(EventKind.REFLECTED, None, agenda(snapshot).model_dump(mode="json"))
    return tmp_path


def listed(state: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[int, bool, bool]]:
    command.show(state, as_json=True)
    found = json.loads(capsys.readouterr().out)["agendas"]
    return [(item["snapshot"], item["is_in_force"], item["rolled_back_at"] is not None) for item in found]


def test_agendas_are_listed_and_rolled_back(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(state, capsys) == [(8, False, False), (12, True, False)]
    command.rollback(12, state, as_json=False)
    assert "Rolled back the agenda from #12 on; the agenda from #8 on is in force" in capsys.readouterr().out
    assert listed(state, capsys) == [(8, True, False), (12, False, True)]
    command.show(state, as_json=False)
    told = capsys.readouterr().out
    assert "rolled back" in told and "in force" in told and "rotary x0.5" in told
    command.rollback(8, state, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"rolled_back": 8, "in_force": None}


def test_an_agenda_that_is_not_there_or_rolled_back_already_is_refused(state: Path) -> None:
    with pytest.raises(UserError, match="no agenda 9: there are 8, 12"):
        command.rollback(9, state, as_json=False)
    command.rollback(12, state, as_json=True)
    with pytest.raises(UserError, match="rolled back already"):
        command.rollback(12, state, as_json=False)


def test_while_a_controller_runs_nothing_is_rolled_back(state: Path) -> None:
    with opened_store(state, read_only=False), pytest.raises(StoreLocked, match="is in use by"):
        command.rollback(12, state, as_json=False)


def test_the_status_shows_the_agenda_in_force_in_one_line() -> None:
    store = FakeStore()
    store.create(make_campaign())
    assert status_payload(store)["agenda"] is None
    store.append(EventKind.REFLECTED, None, agenda(8).model_dump(mode="json"))
    found = status_payload(store)
    assert found["agenda"] is not None and found["agenda"]["snapshot"] == 8
    assert "findings" not in found["agenda"]
    page = StringIO()
    Console(width=200, file=page).print(status_view(found, 0.0))
    assert "from #8 on, 1 mechanism drawn more or less often: What was learnt up to 8." in page.getvalue()


def test_the_control_arm_can_not_be_told_to_reflect(tmp_path: Path) -> None:
    wish = RunWish(2, None, None, None, None, "random", None, None, tmp_path, True, reflect=True, estimate=True)
    with pytest.raises(UserError, match="does not reflect"):
        run(wish)
