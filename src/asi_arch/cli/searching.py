"""The loop with a live table, and an orderly end at Ctrl-C."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console

from asi_arch.app import opened_bench
from asi_arch.cli.live import LiveTable
from asi_arch.cli.plain import PlainLines
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Said
from asi_arch.minds import require_minds, thinking
from asi_arch.settings import Settings
from asi_arch.trackers.parent import tracking
from asi_arch.wishes import Wish


async def search(settings: Settings, asked: Wish, limits: Limits, console: Console, *, is_plain: bool) -> None:
    """Run the loop until a limit or two interruptions, and tell of it."""
    display = PlainLines(console) if is_plain or not console.is_terminal else LiveTable(console)
    await require_minds(settings.minds)
    display.opening(settings.state)
    async with (
        opened_bench(settings.state, asked, settings, listen=display.listen) as embedded,
        thinking(embedded, settings.state, settings) as bench,
    ):
        slots = max(1, settings.workers // len(bench.campaign.profile.seeds))
        loop = CampaignLoop(bench, limits, slots=slots)
        trackers = tracking(settings.state, settings.trackers.targets(), lambda text: display.listen(Said(text)))
        with display.showing(bench, limits), _signals(loop, display):
            async with trackers:
                await loop.run()
        display.closing(settings.state)


@contextmanager
def _signals(loop: CampaignLoop, display: "LiveTable | PlainLines") -> Generator[None]:
    """Once: drain. Twice: cancel."""
    task = asyncio.current_task()
    assert task is not None, "the loop runs in a task"
    seen: list[int] = []

    def on_signal() -> None:
        seen.append(1)
        if len(seen) == 1:
            loop.drain()
            display.say("Finishing what is running; once more to stop at once (nothing finished is lost).")
        else:
            task.cancel()

    events = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        events.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            events.remove_signal_handler(number)
