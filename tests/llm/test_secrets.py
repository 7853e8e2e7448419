import base64
import logging
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from asi_arch.domain.errors import UserError
from asi_arch.keys import found_keys
from asi_arch.llm.plan import MindPlan, Service
from asi_arch.llm.redact import MARK, Redactor
from asi_arch.testing.fake_endpoint import Act, fake_endpoint

CANARY = "sk-canary+0123/456789=abcdef"


def spellings() -> list[str]:
    texts = [base64.b64encode(lead + CANARY.encode()).decode() for lead in (b"", b"u:", b"a")]
    return [CANARY, quote(CANARY), quote(CANARY, safe=""), *texts]


@pytest.mark.parametrize("text", spellings())
def test_a_secret_is_taken_out_in_every_spelling(text: str) -> None:
    redacted = Redactor([CANARY]).text(f"before {text} after")
    assert MARK in redacted
    assert text not in redacted
    assert CANARY not in repr(Redactor([CANARY]))


def test_short_values_are_no_secrets() -> None:
    assert Redactor(["ollama", ""]).text("ollama serves") == "ollama serves"


def test_logs_of_any_library_hold_no_secret(caplog) -> None:
    with Redactor([CANARY]).guarding_logs(), caplog.at_level(logging.DEBUG):
        try:
            raise ValueError(CANARY)
        except ValueError:
            logging.getLogger("other").exception("header %s", CANARY)
    assert MARK in caplog.text
    assert CANARY not in caplog.text


_CALL = """
import asyncio, logging, sys
from pathlib import Path
from asi_arch.minds import opened_minds
from asi_arch.settings import load_settings
from asi_arch.testing.mind_contract import make_question
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
async def main():
    plan = load_settings().minds
    async with opened_minds(plan, Path(sys.argv[1]), warn=print) as minds:
        await minds.ask(make_question("My key is " + sys.argv[2], subject=sys.argv[2]))
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "act",
    [Act(text=f'{{"score": "{CANARY}"}}'), Act(status=401, text=f"Incorrect key {CANARY}, {quote(CANARY, safe='')}")],
    ids=["echoed in a reply", "echoed in an error"],
)
async def test_a_canary_key_is_found_nowhere(tmp_path: Path, act: Act) -> None:
    import asyncio
    import zlib

    pytest.importorskip("pydantic_ai")
    async with fake_endpoint(act) as endpoint:
        environment = {
            **os.environ,
            "OPENAI_API_KEY": CANARY,
            "OPENAI_BASE_URL": endpoint.url,
            "ASI_ARCH_MINDS": "openai:fake-1",
            "XDG_CONFIG_HOME": str(tmp_path / "no-settings"),
        }
        command = [sys.executable, "-c", _CALL, str(tmp_path / "state"), CANARY]
        done = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert endpoint.calls[0].headers["authorization"] == f"Bearer {CANARY}"
    content = (done.stdout + done.stderr).encode()
    for path in (tmp_path / "state").rglob("*"):
        content += path.read_bytes()
    from asi_arch.store.exchanges import SqliteExchanges

    record = SqliteExchanges.open(tmp_path / "state")
    for row in record._rows("SELECT sent, settlement FROM exchange"):
        content += b"".join(zlib.decompress(blob) for blob in row if blob)
    record.close()
    assert MARK.encode() in content
    # The program in this test raises with its own arguments in no frame that is shown.
    assert [text for text in spellings()[:3] if text.encode() in content] == []


def plan(**service: object) -> MindPlan:
    return MindPlan(services={"mine": Service.model_validate({"url": "https://there.example/v1", **service})})


def test_a_key_comes_from_the_environment_or_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o600)
    assert found_keys(plan(), ["mine"], {"MINE_API_KEY": CANARY}) == {"mine": CANARY}
    assert found_keys(plan(key_variable="K"), ["mine"], {"K": CANARY}) == {"mine": CANARY}
    assert found_keys(plan(key_file=path), ["mine"], {}) == {"mine": CANARY}
    assert found_keys(plan(), ["mine"], {}) == {}


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (0o644, CANARY, "chmod 600"),
        (0o640, CANARY, "mode 640"),
        (0o600, " ", "is empty"),
        (0o600, "a b\nc", "alone"),
        (0o600, "abc", "at least 8"),
    ],
)
def test_a_key_file_that_is_unsafe_or_wrong_is_refused(tmp_path: Path, mode: int, content: str, said: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UserError, match=said) as raised:
        found_keys(plan(key_file=path), ["mine"], {})
    assert CANARY not in str(raised.value)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read"):
        found_keys(plan(key_file=tmp_path / "none"), ["mine"], {})
