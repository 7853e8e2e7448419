"""What pages make of a whole campaign, kept until the campaign moves on, and shown until it is made anew."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any, NamedTuple, TypeVar, cast

from typing_extensions import TypeVarTuple, Unpack

from asi_arch.report.digest import Digest
from asi_arch.web.reader import Reader

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

PATIENCE_S = 0.06
"""So long a page waits for what is made anew, before it shows what was made of the campaign as it was before."""


class _Made(NamedTuple):
    """A result, and what it was made of."""

    campaign: Digest
    value: Any


class Aged(NamedTuple):
    """A result, and how many experiments have finished since; None where it is of now."""

    value: Any
    behind: int | None


class Derived:
    """Results of functions of a digest: at most one of each is under way, in a thread of their own."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.RLock()  # what is done at once calls back at once
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="derived")
        self._kept: dict[Callable[[Digest], Any], _Made] = {}
        self._under_way: dict[Callable[[Digest], Any], Future[_Made]] = {}
        self._once: dict[Callable[..., Any], tuple[tuple[object, ...], Any]] = {}
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
        found = self.aged(make)
        return None if found is None else cast(T, found.value)

    def aged(self, make: Callable[[Digest], Any]) -> Aged | None:
        """The same, with its age."""
        campaign = self._reader.digest()
        if campaign is None:
            return None
        kept = self._kept.get(make)
        if kept is None:
            made = self._made(make, campaign).result()
        elif kept.campaign is campaign:
            return Aged(kept.value, None)
        else:
            try:
                made = self._made(make, campaign).result(PATIENCE_S)
            except NotYet:
                made = kept
        is_current = made.campaign is campaign
        return Aged(made.value, None if is_current else len(campaign.lines) - len(made.campaign.lines))

    def once(self, make: Callable[[Unpack[Ts]], T], *given: Unpack[Ts]) -> T:
        """What `make` makes of these very objects, kept until it is asked about others."""
        kept = self._once.get(make)
        if kept is None or any(one is not other for one, other in zip(kept[0], given, strict=True)):
            kept = self._once[make] = (given, make(*given))
        return cast(T, kept[1])

    def _made(self, make: Callable[[Digest], Any], campaign: Digest) -> Future[_Made]:
        """What is under way, also where it began before the campaign moved again."""
        with self._lock:
            if make not in self._under_way:
                future = self._maker.submit(lambda: _Made(campaign, make(campaign)))
                self._under_way[make] = future
                future.add_done_callback(lambda done: self._keep(make, done))
                return future
            return self._under_way[make]

    def _keep(self, make: Callable[[Digest], Any], done: Future[_Made]) -> None:
        with self._lock:
            self._under_way.pop(make, None)
            if not done.cancelled() and done.exception() is None:
                self._kept[make] = done.result()
                self._finished += 1
