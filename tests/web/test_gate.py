from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.web.gate import HEADERS
from asi_arch.web.literature import Literature
from asi_arch.web.reader import Reader
from asi_arch.web.server import application

TOKEN, PORT = "a-token", 8265
COOKIE = {"Cookie": f"asi_arch_{PORT}={TOKEN}"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = SqliteStore.open(tmp_path, clock=lambda: 5.0, owner="test")
    store.create(make_campaign())
    store.record(make_experiment(0, make_proposal("DeltaNet")), None)
    store.close()
    reader = Reader(tmp_path, now=lambda: 9.0)
    transport = httpx.ASGITransport(application(reader, Literature(tmp_path / "papers"), token=TOKEN, port=PORT))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}") as found:
        yield found
    reader.close()


async def test_the_token_is_taken_once_and_a_cookie_does_from_then_on(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/experiments?token={TOKEN}&sort=loss")
    assert (answer.status_code, answer.headers["location"]) == (303, "/experiments?sort=loss")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert (await client.get("/experiments?sort=loss")).status_code == 200


@pytest.mark.parametrize("address", ["/", "/experiments", "/tree.json", "/live", "/experiments/0", "/nothing"])
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%C3%A4"])
async def test_nobody_gets_in_without_it(client: httpx.AsyncClient, address: str, query: str) -> None:
    answer = await client.get(address + query, headers={"Cookie": f"asi_arch_{PORT}=wrong; asi_arch_1={TOKEN}"})
    assert answer.status_code == 403
    assert "DeltaNet" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "[::1]evil", "10.0.0.1"])
async def test_another_host_name_is_refused_even_with_the_key(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/", headers={**COOKIE, "Host": f"{host}:{PORT}"})
    assert answer.status_code == 421
    assert "DeltaNet" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9000", "[::1]:8265"])
async def test_a_tunnel_may_have_another_port(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/", headers={**COOKIE, "Host": host})).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/experiments/0", headers=COOKIE)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("address", ["/", "/static/page.js", "/nothing", "/experiments/77", "/experiments/x"])
async def test_every_answer_forbids_what_is_foreign(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address, headers=COOKIE)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nothing", 404, "There is nothing here."),
        ("/experiments/77", 404, "There is no experiment 77"),
        ("/experiments/x", 400, "can&#39;t be read: index"),
        ("/experiments?page=0", 400, "can&#39;t be read: page"),
        ("/experiments?sort=colour", 400, "can&#39;t be read: sort"),
        ("/static/../gate.py", 404, "There is nothing here."),
        ("/static/%2e%2e/gate.py", 404, "There is nothing here."),
    ],
)
async def test_a_wrong_address_is_told_in_a_sentence(
    client: httpx.AsyncClient, address: str, status: int, words: str
) -> None:
    answer = await client.get(address, headers=COOKIE)
    assert answer.status_code == status
    assert words in answer.text
