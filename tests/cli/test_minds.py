import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asi_arch.llm.inbox import page, write_whole
from asi_arch.testing.fake_endpoint import Act, fake_endpoint
from asi_arch.testing.mind_contract import make_request


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
