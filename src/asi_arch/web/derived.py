"""What pages make of a whole campaign, kept until the campaign moves on, and shown until it is made anew."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar, cast

from typing_extensions import TypeVarTuple, Unpack

from asi_arch.report.digest import Digest
from asi_arch.web.reader import Reader

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BRIEF_S = 0.02
"""What took no longer the last time is made at once; for what takes longer no page waits."""
_POLITE_S = 0.1
"""Before it is begun, so that the page that asked is drawn first."""


class _Made(NamedTuple):
    """A result, what it was made of, and how long that took."""

    given: tuple[object, ...]
    value: Any
    took_s: float
    campaign: int = 1
    """Which of the campaigns that have lain in the folder it was made of."""

    def is_of(self, given: Sequence[object]) -> bool:
        """Whether it was made of these very objects."""
        return all(one is other for one, other in zip(self.given, given, strict=True))


class Aged(NamedTuple):
    """A result, and how many experiments have finished since; None where it is of now."""

    value: Any
    behind: int | None


class Derived:
    """Results of functions of modules, so that they are known again.

    What takes long is made in one thread, at most one of each at a time. Until it is there, the last one is shown.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.RLock()  # what is done at once calls back at once
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="derived")
        self._kept: dict[Callable[..., Any], _Made] = {}
        self._under_way: dict[Callable[..., Any], Future[_Made]] = {}
        self._finished = 0

    @property
    def finished(self) -> int:
        """How many results that pages do not wait for there were so far."""
        return self._finished

    def close(self) -> None:
        """Make nothing more."""
        self._maker.shutdown(wait=False, cancel_futures=True)

    def __call__(self, make: Callable[[Digest], T]) -> T | None:
        """What `make` makes of the campaign, a moment ago at worst; None while it is read for the first time.

        Raises what `make` raises.
        """
        found = self.aged(make)
        return None if found is None else cast(T, found.value)

    def aged(self, make: Callable[[Digest], Any]) -> Aged | None:
        """The same, with its age."""
        campaign = self._reader.digest()
        if campaign is None:
            return None
        made = self._latest(make, campaign)
        if made.is_of((campaign,)):
            return Aged(made.value, None)
        before = cast(Digest, made.given[0])
        return Aged(made.value, len(campaign.lines) - len(before.lines))

    def lately(self, make: Callable[[Unpack[Ts]], T], *given: Unpack[Ts]) -> T:
        """What `make` makes of these very objects or, where that takes long, has made of the ones before."""
        return cast(T, self._latest(make, *given).value)

    def foresee(self, *makes: Callable[[Digest], Any]) -> None:
        """Make these as soon as the campaign is read, so that no page waits for the first of them."""

        def begin(campaign: Digest) -> None:
            for make in makes:
                with suppress(RuntimeError):  # closed meanwhile
                    self._made(make, campaign)

        self._reader.when_read(begin)

    def _latest(self, make: Callable[..., Any], *given: object) -> _Made:
        kept = self._kept.get(make)
        if kept is None or kept.campaign != self._reader.campaigns:
            self._kept.pop(make, None)
            return self._made(make, *given).result()
        if kept.is_of(given):
            return kept
        if kept.took_s <= BRIEF_S:
            self._kept[make] = made = self._make(make, given)
            return made
        self._made(make, *given)
        return kept

    def _made(self, make: Callable[..., Any], *given: object) -> Future[_Made]:
        """What is under way, also where it began before the campaign moved again."""
        with self._lock:
            if make not in self._under_way:
                future = self._maker.submit(self._make, make, given, _POLITE_S if make in self._kept else 0.0)
                self._under_way[make] = future
                future.add_done_callback(lambda done: self._keep(make, done))
                return future
            return self._under_way[make]

    def _keep(self, make: Callable[..., Any], done: Future[_Made]) -> None:
        with self._lock:
            self._under_way.pop(make, None)
            if done.cancelled():
                return
            if (error := done.exception()) is None:
                self._kept[make] = done.result()
                self._finished += 1
            elif make in self._kept:  # else somebody waits for it
                logging.getLogger(__name__).error("a part of a page stays as it was", exc_info=error)

    def _make(self, make: Callable[..., Any], given: tuple[object, ...], after_s: float = 0.0) -> _Made:
        time.sleep(after_s)
        campaign, started = self._reader.campaigns, time.perf_counter()
        value = make(*given)
        return _Made(given, value, time.perf_counter() - started, campaign)
