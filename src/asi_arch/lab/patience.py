"""Waiting for a process without counting the time in which the machine had no core for it. Free of torch."""

import asyncio
from collections.abc import Callable
from typing import Any

_LEAST_SHARE = 0.05
"""Of the time allowed, below which it is not worth while to go on waiting."""
_MOST_TIMES = 10
"""As long as allowed, however little of a core it gets: a candidate can keep the cores busy itself."""


async def comes_in_time(awaited: "asyncio.Future[Any]", allowed_s: float, waited_s: Callable[[], float]) -> bool:
    """Whether `awaited` is done before its process has had `allowed_s` to itself.

    `waited_s` tells for how long the process has been waiting for a core by now, in all. Neither cancels nor retrieves.
    """
    counted_s, left_s, spent_s = waited_s(), allowed_s, 0.0
    while left_s > _LEAST_SHARE * allowed_s and spent_s < _MOST_TIMES * allowed_s:
        done, _ = await asyncio.wait({awaited}, timeout=left_s)
        if done:
            return True
        spent_s += left_s
        left_s = min(waited_s() - counted_s, left_s)
        counted_s += left_s
    return awaited.done()
