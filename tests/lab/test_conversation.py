import asyncio
from typing import Any, cast

import pytest

from asi_arch.lab.contract import Tokens
from asi_arch.lab.conversation import Conversation


class Socket:
    """Takes everything, one turn of the loop later."""

    def is_closing(self) -> bool:
        return False

    def write(self, _: bytes) -> None:
        return None

    async def drain(self) -> None:
        await asyncio.sleep(0)


class Child:
    def __init__(self) -> None:
        self.writer = Socket()
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ended.set_result(None)


@pytest.mark.parametrize("turns", range(1, 8))
async def test_being_told_to_stop_is_never_lost_while_something_is_said(turns: int) -> None:
    talk = Conversation(cast(Any, None), cast(Any, Child()), 10.0)
    task = asyncio.create_task(talk.say(Tokens()))
    for _ in range(turns):
        await asyncio.sleep(0)
    if task.done():
        return
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
