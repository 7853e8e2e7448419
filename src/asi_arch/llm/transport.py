"""The HTTP client below every remote backend: no byte more is read from a service than a reply may have."""

from collections.abc import AsyncIterator
from typing import Final

import httpx2

LARGEST_BYTES: Final = 2 * 2**20
"""Of a reply with its envelope. The longest programs have about 100 KB."""
CONNECT_S: Final = 10.0


class ReplyTooLong(Exception):
    """More bytes came than a reply may have."""


def limited_client(timeout_s: float) -> httpx2.AsyncClient:
    """A client that takes proxies from the environment, asks for plain bytes and stops reading at the limit."""
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(timeout_s, connect=CONNECT_S),
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_limit]},
    )


async def _limit(response: httpx2.Response) -> None:
    # Unasked-for compression could blow a small reply up in memory: left as it is, it is garbage and treated as such.
    if "content-encoding" in response.headers:
        del response.headers["content-encoding"]
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Limited(response.stream)


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for chunk in self._stream:
            count += len(chunk)
            if count > LARGEST_BYTES:
                raise ReplyTooLong(f"the reply has more than {LARGEST_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
