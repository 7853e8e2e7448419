import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asi_arch.cli import minds
from asi_arch.domain.candidate import Author
from asi_arch.domain.exchanges import Charge, Reply, Sent, Settlement
from asi_arch.domain.minds import Role
from asi_arch.folders import opened_store
from asi_arch.llm.inbox import page, write_whole
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.fake_endpoint import Act, fake_endpoint
from asi_arch.testing.mind_contract import make_request
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal


def asi_arch(*words: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asi_arch", *words]
    around = {**os.environ, "XDG_CONFIG_HOME": "/nonexistent", **environment}
    return subprocess.run(command, env=around, input=text, capture_output=True, text=True, timeout=120, check=False)


async def test_a_mind_is_tested_with_a_tiny_question() -> None:
    pytest.importorskip("pydantic_ai")
    async with fake_endpoint(Act(text='{"total": 42}')) as endpoint:
        environment = {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": endpoint.url}
        done = await asyncio.to_thread(asi_arch, "minds", "test", "openai:fake-1", "--json", **environment)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert (result["detail"], result["spent"]["tokens"]) == ("17 + 25 = 42", 110)


def test_questions_are_listed_shown_and_answered(tmp_path: Path) -> None:
    write_whole(tmp_path / "judge-1-aa-0.md", page(make_request(subject="1"), "judge-1-aa-0"))
    here = ("--inbox", str(tmp_path))
    (waiting,) = json.loads(asi_arch("inbox", "list", *here, "--json").stdout)
    assert (waiting["name"], waiting["is_answered"]) == ("judge-1-aa-0", False)
    assert "Schema of the answer" in asi_arch("inbox", "show", "judge", *here).stdout
    refused = asi_arch("inbox", "answer", "judge", "-", *here, text="nonsense")
    assert (refused.returncode, "not JSON" in refused.stderr) == (2, True)
    assert asi_arch("inbox", "answer", "judge", "-", *here, text='{"score": 7}').returncode == 0
    assert (tmp_path / "judge-1-aa-0.json").read_text() == '{"score": 7}'


def test_an_unknown_mind_is_one_sentence() -> None:
    done = asi_arch("minds", "test", "gpt:5")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "unknown service 'gpt'" in done.stderr


@pytest.mark.parametrize(
    ("mind", "told"),
    [
        ("openai:some-model", "no key for 'openai'"),
        ("gguf:nowhere.gguf", "can't be read"),
        ("replay:nowhere", "holds no exchanges"),
        ("nobody:x", "unknown service 'nobody'"),
    ],
)
def test_a_mind_that_can_not_answer_is_refused_before_a_campaign_is_made(tmp_path: Path, mind: str, told: str) -> None:
    refused = asi_arch(
        "run", "-p", "smoke", "-n", "2", "--mind", mind, "--state", str(tmp_path / "state"), OPENAI_API_KEY=""
    )
    assert refused.returncode == 2
    assert told in refused.stderr
    assert not (tmp_path / "state").exists()


def campaign_of_two_minds(folder: Path) -> None:
    """Of three ideas two are a's, one of which gained 0.1; b took twice the time and all the money."""
    with opened_store(folder, read_only=False) as store:
        store.create(make_campaign())
        fitness = {0: 0.5, 1: 0.6, 3: 0.45, 4: 0.52}
        for index, value in fitness.items():
            author = Author.DESIGNER if index else Author.BASELINE
            proposal = make_proposal(f"m{index}", author=author, parent=0 if index else None)
            store.propose(index, proposal)
            store.record(make_experiment(index, proposal), value)
    record = SqliteExchanges.open(folder)
    for index, mind, usd, seconds in ((1, "lab:a", 0.0, 10.0), (3, "lab:a", 0.0, 10.0), (4, "lab:b", 0.5, 20.0)):
        request = make_request(subject=str(index)).model_copy(update={"role": Role.DESIGNER})
        number = record.send(Sent(request=request, mind=mind, at=1.0, reserved=Charge(1, 100, usd)))
        spent = Charge(1, 100, usd)
        record.settle(number, Settlement(reply=Reply(text="{}"), at=2.0, latency_s=seconds, spent=spent))
    record.close()


def test_minds_that_share_a_role_are_shown_with_what_they_are_worth(tmp_path: Path, monkeypatch, capsys) -> None:
    config = tmp_path / "asi-arch" / "settings.toml"
    config.parent.mkdir()
    config.write_text(
        '[minds.roles]\ndesigner = ["lab:a", "lab:b"]\njudge = ["lab:b", "lab:c"]\n[minds.services.lab]\n'
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("ASI_ARCH_MINDS", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    state = tmp_path / "state"
    minds.show(state, as_json=True)
    before = json.loads(capsys.readouterr().out)
    assert before["minds"]["designer"] == ["lab:a", "lab:b"]
    assert {one["questions"] for one in before["ensembles"]} == {0}
    campaign_of_two_minds(state)
    minds.show(state, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    found = {(one["role"], one["member"]): one for one in shown["ensembles"]}
    assert list(found) == [("designer", "lab:a"), ("designer", "lab:b"), ("judge", "lab:b"), ("judge", "lab:c")]
    a, b = found["designer", "lab:a"], found["designer", "lab:b"]
    assert (a["questions"], a["usable"], a["experiments"], a["usd"], a["seconds"]) == (2, 2, 2, 0.0, 20.0)
    assert (a["mean_gain"], b["mean_gain"]) == (pytest.approx(0.05), pytest.approx(0.02))
    assert a["gain_per_cost"] == pytest.approx(0.05 / (1 + 10 / 15))
    assert b["gain_per_cost"] == pytest.approx(0.02 / (1 + 20 / 15 + 0.5 / 0.25))
    assert a["following"] + b["following"] == make_campaign().profile.search.update_every
    assert a["following"] > b["following"]
    assert (found["judge", "lab:b"]["usable"], found["judge", "lab:b"]["following"]) == (None, None)
    minds.show(state, as_json=False)
    table = capsys.readouterr().out
    assert "lab:a, lab:b" in table
    assert "gain/cost" in table
