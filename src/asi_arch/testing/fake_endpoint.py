"""A service of language models on loopback: speaks as OpenAI, Anthropic and Google do, and misbehaves on demand."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple


class Act(NamedTuple):
    """What the service does with one call. By default it answers with `text`."""

    text: str = '{"score": 7}'
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    finish: str = "stop"
    """Of OpenAI's form: 'length' for a truncated reply, 'content_filter' for a refusal."""
    raw: bytes | None = None
    """The body as it is, instead of one in the provider's form."""
    is_cut: bool = False
    """Closes the connection after the request was read, as a server does that dies while it works."""
    is_silent: bool = False
    """Never answers."""


class Received(NamedTuple):
    """A call as the service got it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class FakeEndpoint:
    """Does one act after the other, the last one for ever; remembers all calls."""

    def __init__(self, acts: Iterable[Act]) -> None:
        self._acts = list(acts)
        self.calls: list[Received] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection with one call."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            received = await _received(reader)
            act = self._acts[min(len(self.calls), len(self._acts) - 1)]
            self.calls.append(received)
            if act.is_silent:
                await reader.read()
            elif not act.is_cut:
                body = act.raw if act.raw is not None else _body(act, received.path)
                writer.write(_head(act, len(body)) + body)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def fake_endpoint(*acts: Act) -> AsyncGenerator[FakeEndpoint, None]:
    """A started service; its `url` ends without a slash."""
    endpoint = FakeEndpoint(acts or (Act(),))
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield endpoint
    finally:
        server.close()


async def _received(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(head[0].split()[1], headers, json.loads(content or b"{}"))


def _head(act: Act, length: int) -> bytes:
    fields = (("Content-Type", "application/json"), ("Content-Length", str(length)), ("Connection", "close"))
    lines = [f"HTTP/1.1 {act.status} Said", *(f"{name}: {value}" for name, value in (*fields, *act.headers))]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _body(act: Act, path: str) -> bytes:
    if act.status >= 400:
        return json.dumps({"error": {"message": act.text, "type": "fake", "code": "fake"}}).encode()
    shape: Callable[[Act], dict[str, Any]] = _openai
    if "messages" in path:
        shape = _anthropic
    elif "generateContent" in path:
        shape = _google
    return json.dumps(shape(act)).encode()


def _openai(act: Act) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": act.finish, "message": {"role": "assistant", "content": act.text}}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake-1",
        "choices": [choice],
        "usage": usage,
    }


def _anthropic(act: Act) -> dict[str, Any]:
    reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
    return {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": "fake-1",
        "content": [{"type": "text", "text": act.text}],
        "stop_reason": reasons[act.finish],
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 10},
    }


def _google(act: Act) -> dict[str, Any]:
    reasons = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
    candidate = {"content": {"role": "model", "parts": [{"text": act.text}]}, "finishReason": reasons[act.finish]}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake-1", "responseId": "1"}
