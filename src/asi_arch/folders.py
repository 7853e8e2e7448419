"""Opening the campaign in a folder: what commands need that only read. Free of the lab, so that they start fast."""

import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.errors import StoreError
from asi_arch.domain.ports import Store
from asi_arch.engine.bench import Clock
from asi_arch.store.sqlite import SqliteStore

CLOCK = Clock(now=time.time, tick=time.monotonic)


@contextmanager
def opened_store(folder: Path, *, read_only: bool) -> Generator[SqliteStore]:
    """The campaign in `folder`. A writer holds its lock.

    Raises `StoreError` for a writer where the campaign was imported: such a one can only be read.
    """
    with _opened(folder, read_only=read_only) as store:
        if not read_only:
            require_own(store.campaign(), folder)
        yield store


@contextmanager
def opened_for_import(folder: Path) -> Generator[SqliteStore]:
    """The store that a campaign by others is written to, whatever it holds: that is the caller's to look at."""
    with _opened(folder, read_only=False) as store:
        yield store


@contextmanager
def _opened(folder: Path, *, read_only: bool) -> Generator[SqliteStore]:
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    owner = f"process {os.getpid()} on {socket.gethostname()}, since {started}"
    store = SqliteStore.open(folder, clock=CLOCK.now, owner=owner, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


def existing_campaign(store: Store, folder: Path) -> Campaign:
    """The store's campaign. Raises `StoreError` for an empty store."""
    campaign = store.campaign()
    if campaign is None:
        raise StoreError(f"{folder} holds no campaign yet; start one with: asi-arch run --state {folder}")
    return campaign


def require_own(campaign: Campaign | None, folder: Path) -> None:
    """Raises `StoreError` for an imported campaign: nobody here knows how its experiments were measured."""
    if campaign is not None and campaign.origin is not None:
        raise StoreError(
            f"{folder} holds an imported campaign ({campaign.origin.title}): it can be read and not continued, changed"
            " or measured again. Look at it with asi-arch status, best, tree, show, report or serve; for a campaign of"
            " your own choose another folder with --state"
        )
