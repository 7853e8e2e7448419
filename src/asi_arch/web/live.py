"""Tells open pages that the campaign has moved, by server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from sse_starlette.sse import EventSourceResponse

from asi_arch.domain.errors import AsiArchError, StoreError
from asi_arch.web.reader import Reader, ReaderClosed

LOOK_EVERY_S = 1.0
"""Between two looks at the store."""


def live_routes(reader: Reader, finished: Callable[[], int] = lambda: 0) -> APIRouter:
    """GET /live: an event 'moved' at first, and at every change, with the newest event's number and who is at work.

    A change is, too, that one more of what is made of the whole campaign is `finished`.
    """
    router = APIRouter()

    @router.get("/live")
    async def live() -> EventSourceResponse:  # pyright: ignore[reportUnusedFunction]
        return EventSourceResponse(changes(reader, finished))

    return router


async def changes(reader: Reader, finished: Callable[[], int] = lambda: 0) -> AsyncIterator[dict[str, Any]]:
    """Events for one listener, until it leaves. A store that can't be read for a while is told as no change."""
    seen: dict[str, Any] | None = None
    while True:
        try:
            found = await asyncio.to_thread(_state, reader, finished)
        except StoreError:
            found = seen
        if found is not None and found != seen:
            yield {"event": "moved", "data": json.dumps(found)}
            seen = found
        await asyncio.sleep(LOOK_EVERY_S)


def _state(reader: Reader, finished: Callable[[], int]) -> dict[str, Any]:
    standing = reader.standing()
    now = reader.now_running(standing)
    with suppress(AsiArchError, ReaderClosed):
        reader.digest(patience_s=0)  # catches up, so that the page that asks for it next need not
    return {
        "number": standing.number,
        "running": standing.writer is not None,
        "at": now.at if now else None,
        "reading": reader.progress.read,
        "made": finished(),
    }
