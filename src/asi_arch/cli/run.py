"""`asi-arch run`: what was asked for is looked at before anything heavy is loaded; then the search begins."""

import asyncio
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from rich.console import Console

from asi_arch.cli import options
from asi_arch.domain.errors import UserError
from asi_arch.domain.profile import Policy
from asi_arch.engine.limits import Limits
from asi_arch.llm.lines import parsed
from asi_arch.settings import Settings
from asi_arch.trackers.targets import parsed as parsed_trackers
from asi_arch.trackers.targets import require_trackers
from asi_arch.wishes import Wish, wished_profile

WHEN_SILENT = ("stop", "compose")


class RunWish(NamedTuple):
    """The command's options as typed."""

    experiments: int | None
    time: str | None
    compute: str | None
    profile: str | None
    seed: int | None
    policy: str | None
    data: str | None
    workers: int | None
    state: Path | None
    plain: bool
    mind: str | None = None
    when_silent: str | None = None
    reflect: bool | None = None
    estimate: bool = False
    as_json: bool = False
    track: tuple[str, ...] = ()


def run(wish: RunWish) -> None:
    """Run until a limit or Ctrl-C; exit code 130 when it was cut short: before the search began, or by a second one."""
    limits, asked = _limits(wish), _asked(wish)
    settings = _with_trackers(_with_mind(options.settings(wish.state, wish.workers), wish), wish)
    wished_profile(asked)  # a misspelt one is told at once
    if wish.estimate:
        from asi_arch.cli import estimate

        estimate.show(settings, asked, estimate.Bounds(*limits), as_json=wish.as_json)
        return
    if wish.as_json:
        raise UserError(
            "--json goes with --estimate; while a campaign runs, `asi-arch status --json` tells how far it is"
        )
    require_trackers(settings.trackers.targets())
    console = Console()
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        from asi_arch.cli.searching import search

        asyncio.run(search(settings, asked, limits, console, is_plain=wish.plain))
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.print("Stopped. What was finished is stored; the same command resumes.")
        sys.exit(130)


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    """Being told to end, outside of the loop, is Ctrl-C: asyncio cancels at the next wait, then at once."""
    signal.raise_signal(signal.SIGINT)


def _limits(wish: RunWish) -> Limits:
    if wish.experiments is not None and wish.experiments < 1:
        raise UserError(f"--experiments must be at least 1, got {wish.experiments}")
    return Limits(
        experiments=wish.experiments,
        wall_s=options.seconds(wish.time, "--time") if wish.time else None,
        compute_s=options.seconds(wish.compute, "--compute") if wish.compute else None,
    )


def _asked(wish: RunWish) -> Wish:
    policy = options.policy(wish.policy) if wish.policy else None
    if wish.reflect and policy is Policy.RANDOM:
        raise UserError("the random arm is a control and does not reflect; leave out --reflect or --policy random")
    return Wish(wish.profile, wish.seed, policy, wish.data, wish.reflect)


def _with_mind(settings: Settings, wish: RunWish) -> Settings:
    """The settings with what the command says of minds. Raises `UserError` for a mind that can't be."""
    changes: dict[str, str] = {}
    if wish.mind is not None:
        parsed(wish.mind, settings.minds)
        changes["default"] = wish.mind
    if wish.when_silent is not None:
        if wish.when_silent not in WHEN_SILENT:
            raise UserError(f"--when-silent must be one of {', '.join(WHEN_SILENT)}, got {wish.when_silent!r}")
        changes["when_silent"] = wish.when_silent
    return settings.model_copy(update={"minds": settings.minds.model_copy(update=changes)})


def _with_trackers(settings: Settings, wish: RunWish) -> Settings:
    """The settings with the command's trackers in place of theirs. Raises `UserError` for one that can't be."""
    trackers = parsed_trackers(wish.track) if wish.track else settings.trackers
    trackers.targets()
    return settings.model_copy(update={"trackers": trackers})
