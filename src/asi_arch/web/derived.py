"""What pages make of a whole campaign, kept until the campaign moves on, and shown until it is made anew."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any, NamedTuple, TypeVar, cast

from asi_arch.report.digest import Digest
from asi_arch.web.reader import Reader, Standing

T = TypeVar("T")

PATIENCE_S = 0.06
"""So long a page waits for what is made anew, before it shows what was made of the campaign as it was before."""


class _Made(NamedTuple):
    """A result, and what it was made of."""

    campaign: Digest
    value: Any


class _Making(NamedTuple):
    """The same, under way."""

    campaign: Digest
    value: Future[Any]


class Derived:
    """Results of functions of a digest: at most one of each is under way, in a thread of their own."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.RLock()  # what is done at once calls back at once
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="derived")
        self._kept: dict[Callable[[Digest], Any], _Made] = {}
        self._under_way: dict[Callable[[Digest], Any], _Making] = {}
        self._standing: dict[Callable[[Standing], Any], tuple[int, Any]] = {}
        self._finished = 0

    @property
    def finished(self) -> int:
        """How many results there were so far; a page that shows an old one waits for the next."""
        return self._finished

    def close(self) -> None:
        """Make nothing more."""
        self._maker.shutdown(wait=False, cancel_futures=True)

    def __call__(self, make: Callable[[Digest], T]) -> T | None:
        """What `make` makes of the campaign, a moment ago at worst; None while it is read for the first time.

        `make` is a function of a module, so that it is known again the next time. Raises what it raises.
        """
        campaign = self._reader.digest()
        if campaign is None:
            return None
        kept = self._kept.get(make)
        if kept is not None and kept.campaign is campaign:
            return cast(T, kept.value)
        made = self._made(make, campaign)
        try:
            return cast(T, made.result(None if kept is None else PATIENCE_S))
        except NotYet:
            assert kept is not None, "without an old result there is no end to patience"
            return cast(T, kept.value)

    def behind(self, make: Callable[[Digest], Any]) -> int | None:
        """How many experiments have finished since what `make` has made; None where that is of now, or nothing yet."""
        kept, campaign = self._kept.get(make), self._reader.digest()
        if kept is None or campaign is None or kept.campaign is campaign:
            return None
        return len(campaign.lines) - len(kept.campaign.lines)

    def of_standing(self, make: Callable[[Standing], T], standing: Standing) -> T:
        """What `make` makes of it, once for every state of the store."""
        kept = self._standing.get(make)
        if kept is None or kept[0] != standing.number:
            kept = self._standing[make] = (standing.number, make(standing))
        return cast(T, kept[1])

    def _made(self, make: Callable[[Digest], Any], campaign: Digest) -> Future[Any]:
        """What is under way, also where it began before the campaign moved again."""
        with self._lock:
            making = self._under_way.get(make)
            if making is None:
                making = _Making(campaign, self._maker.submit(make, campaign))
                self._under_way[make] = making
                making.value.add_done_callback(lambda done: self._keep(make, campaign, done))
            return making.value

    def _keep(self, make: Callable[[Digest], Any], campaign: Digest, done: Future[Any]) -> None:
        with self._lock:
            self._under_way.pop(make, None)
            if not done.cancelled() and done.exception() is None:
                self._kept[make] = _Made(campaign, done.result())
                self._finished += 1
