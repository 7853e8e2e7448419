import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest

from asi_arch.domain.exchanges import Charge, Reply, Sent, Settlement
from asi_arch.llm.backend import Backend
from asi_arch.llm.inbox import InboxBackend
from asi_arch.llm.plan import MindPlan, Protocol, Service
from asi_arch.llm.recorded import ReplayBackend
from asi_arch.llm.scripted import ScriptedBackend
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.fake_endpoint import fake_endpoint
from asi_arch.testing.mind_contract import BackendContract, make_request

TEXT = '{"score": 7}'


class TestScripted(BackendContract):
    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Backend, None]:
        yield ScriptedBackend(lambda _: TEXT)

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return self._open()


class TestInbox(BackendContract):
    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Backend, None]:
        with tempfile.TemporaryDirectory() as name:
            loop = asyncio.get_running_loop()
            person = asyncio.create_task(_answering(Path(name)))
            yield InboxBackend(Path(name), patience_s=100.0, tick=loop.time, sleep=lambda _: asyncio.sleep(0.01))
            person.cancel()
            with suppress(asyncio.CancelledError):
                await person

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return self._open()


async def _answering(folder: Path) -> None:
    while True:
        for question in folder.glob("*.md"):
            question.with_suffix(".json").write_text(TEXT)
        await asyncio.sleep(0.05)


class TestReplay(BackendContract):
    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Backend, None]:
        with tempfile.TemporaryDirectory() as name:
            record = SqliteExchanges.open(Path(name))
            for request in (make_request(), *(make_request(f"number {n}") for n in range(3))):
                charge = Charge(1, 2, 0.0)
                number = record.send(Sent(request=request, mind="scripted", at=1.0, reserved=charge))
                reply = Reply(text=TEXT, input_tokens=1, output_tokens=1)
                record.settle(number, Settlement(reply=reply, at=2.0, latency_s=1.0, spent=charge))
            backend = ReplayBackend(record, "replay:there")
            yield backend
            await backend.close()

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return self._open()


class _Remote(BackendContract):
    protocol: Protocol
    path = ""

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Backend, None]:
        pytest.importorskip("pydantic_ai", reason="the extra 'minds' is not installed: remote backends are NOT tested")
        from asi_arch.llm.remote import Access, RemoteBackend

        async with fake_endpoint() as endpoint:
            service = Service(protocol=self.protocol, url=endpoint.url + self.path)
            backend = RemoteBackend(Access(service, "fake-1", "sk-some-long-key"))
            yield backend
            await backend.close()

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return self._open()


class TestOpenai(_Remote):
    protocol = Protocol.OPENAI
    path = "/v1"


class TestAnthropic(_Remote):
    protocol = Protocol.ANTHROPIC


class TestGoogle(_Remote):
    protocol = Protocol.GOOGLE


@pytest.mark.slow
class TestGguf(BackendContract):
    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Backend, None]:
        path = os.environ.get("ASI_ARCH_TEST_GGUF")
        if path is None:
            pytest.skip("ASI_ARCH_TEST_GGUF names no model file: the backend gguf is NOT tested")
        from asi_arch.llm.gguf import GgufBackend

        backend = GgufBackend(Path(path), MindPlan(context_tokens=2048))
        yield backend
        await backend.close()

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return self._open()


del _Remote
