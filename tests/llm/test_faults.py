"""Drills against a service on loopback, through the providers' own libraries."""

import asyncio
import gzip
import tracemalloc

import pytest

from asi_arch.domain.minds import BadAnswer, MindRefused, MindRejected, MindUnavailable
from asi_arch.llm.plan import Protocol, Service
from asi_arch.testing.fake_endpoint import Act, FakeEndpoint, fake_endpoint
from asi_arch.testing.mind_contract import Mark, make_question

pytest.importorskip("pydantic_ai", reason="the extra 'minds' is not installed: remote backends are NOT tested")

from asi_arch.llm.remote import Access, RemoteBackend

KEY = "sk-a-key-of-tests-0123456789"
PROTOCOLS = pytest.mark.parametrize("protocol", list(Protocol), ids=lambda protocol: protocol.value)


def backend_of(endpoint: FakeEndpoint, protocol: Protocol = Protocol.OPENAI, timeout_s: float = 30.0) -> RemoteBackend:
    path = "/v1" if protocol is Protocol.OPENAI else ""
    return RemoteBackend(
        Access(Service(protocol=protocol, url=endpoint.url + path, timeout_s=timeout_s), "fake-1", KEY)
    )


async def asked(desk, backend: RemoteBackend, **options) -> Mark:
    minds = desk.minds(backend, **options)
    try:
        return await asyncio.wait_for(minds.ask(make_question()), 60)
    finally:
        await minds.close()


@PROTOCOLS
async def test_an_overloaded_service_is_asked_again_by_us_alone(desk, protocol: Protocol) -> None:
    async with fake_endpoint(Act(status=429, headers=(("Retry-After", "17"),)), Act(status=503), Act()) as endpoint:
        assert await asked(desk, backend_of(endpoint, protocol)) == Mark(score=7)
    assert len(endpoint.calls) == 3
    assert desk.endings() == ["failed", "failed", "answered"]
    assert desk.time.naps[0] >= 17.0
    assert desk.recorded()[2].settlement.spent.tokens == 110
    assert desk.opened[0].spent().tokens == 110


@PROTOCOLS
async def test_a_connection_that_is_cut_is_counted_and_tried_again(desk, protocol: Protocol) -> None:
    async with fake_endpoint(Act(is_cut=True), Act()) as endpoint:
        assert await asked(desk, backend_of(endpoint, protocol)) == Mark(score=7)
    assert len(endpoint.calls) == 2
    assert desk.endings() == ["lost", "answered"]


@PROTOCOLS
@pytest.mark.parametrize(
    ("act", "ending"),
    [
        (Act(finish="length"), "truncated"),
        (Act(raw=b"x" * (10 * 2**20)), "truncated"),
        (Act(raw=b"<html>gateway</html>"), "garbled"),
        (Act(raw=b'{"choices": null, "content": 3, "candidates": 4}'), "garbled"),
        (Act(text='{"points": 7}'), "answered"),
        (Act(text=""), "answered"),
    ],
    ids=["truncated", "10 MB", "garbage", "nonsense", "wrong schema", "empty"],
)
async def test_a_bad_reply_is_never_used_and_asked_again_twice(desk, protocol: Protocol, act: Act, ending: str) -> None:
    async with fake_endpoint(act) as endpoint:
        with pytest.raises(BadAnswer):
            await asked(desk, backend_of(endpoint, protocol))
    assert len(endpoint.calls) == 3
    assert all(found == ending or (act.text == "" and found == "garbled") for found in desk.endings())


@PROTOCOLS
async def test_a_refusal_is_typed(desk, protocol: Protocol) -> None:
    async with fake_endpoint(Act(finish="content_filter", text="no")) as endpoint:
        with pytest.raises(MindRefused):
            await asked(desk, backend_of(endpoint, protocol))
    assert len(endpoint.calls) == 1


@PROTOCOLS
@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_what_the_user_must_mend_is_said_once(desk, protocol: Protocol, status: int) -> None:
    async with fake_endpoint(Act(status=status, text=f"bad {KEY}")) as endpoint:
        with pytest.raises(MindRejected, match=f"status {status}") as raised:
            await asked(desk, backend_of(endpoint, protocol), secrets=(KEY,))
    assert len(endpoint.calls) == 1
    assert KEY not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_a_quota_that_is_gone_is_not_waited_for(desk) -> None:
    async with fake_endpoint(Act(status=429, raw=b'{"error": {"code": "insufficient_quota"}}')) as endpoint:
        with pytest.raises(MindRejected, match="no credit or quota"):
            await asked(desk, backend_of(endpoint))
    assert len(endpoint.calls) == 1


async def test_a_service_that_says_nothing_is_given_up_in_time(desk) -> None:
    async with fake_endpoint(Act(is_silent=True)) as endpoint:
        with pytest.raises(MindUnavailable, match=r"no reply within|cut"):
            await asked(desk, backend_of(endpoint, timeout_s=0.5), patience_s=1.0)
    assert set(desk.endings()) == {"lost"}


async def test_an_address_where_nobody_listens_costs_nothing(desk) -> None:
    async with fake_endpoint() as endpoint:
        pass
    with pytest.raises(MindUnavailable, match="can't be reached"):
        await asked(desk, backend_of(endpoint), patience_s=5.0)
    assert set(desk.endings()) == {"failed"}
    assert desk.opened[0].spent() == (0, 0, 0.0)


async def test_a_small_reply_that_unpacks_to_a_huge_one_is_not_unpacked(desk) -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)
    async with fake_endpoint(Act(raw=bomb, headers=(("Content-Encoding", "gzip"),))) as endpoint:
        tracemalloc.start()
        with pytest.raises(BadAnswer):
            await asked(desk, backend_of(endpoint))
        assert tracemalloc.get_traced_memory()[1] < 60 * 2**20
        tracemalloc.stop()


async def test_schema_limit_and_temperature_reach_the_service(desk) -> None:
    async with fake_endpoint() as endpoint:
        await asked(desk, backend_of(endpoint))
    body = endpoint.calls[0].body
    assert body["response_format"]["type"] == "json_schema"
    assert (body["max_tokens"], body["temperature"]) == (512, 0.7)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert endpoint.calls[0].headers["authorization"] == f"Bearer {KEY}"
