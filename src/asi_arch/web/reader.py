"""Reads one campaign for pages: what is cheap at each request, what is dear once and then only what has come since."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign, Event, EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.ports import Store
from asi_arch.engine.progress_file import Now, read_now
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.report.digest import TOLD, Digest, digest
from asi_arch.report.standing import Yardstick, yardstick
from asi_arch.store.lock import holder
from asi_arch.store.sqlite import SqliteStore

PATIENCE_S = 0.3
"""So long a page waits for the first reading of a small campaign, before it is shown without what needs it."""
_SMALL = 300
"""So many experiments are read in that time; for more no page waits."""
_LIFECYCLE = (EventKind.OPENED, EventKind.CLOSED)


class Standing(NamedTuple):
    """Where a campaign stands, from what is read fast."""

    campaign: Campaign
    lineage: Lineage
    """Of what is finished."""
    unfinished: dict[int, Proposal]
    last: Event | None
    told: Event | None
    """The newest event after which tables are others; the same object until there is a newer one."""
    yardstick: Yardstick
    lifecycle: Event | None
    """The last opening or closing by a controller."""
    writer: str | None
    """Who is at work on it, in words; None where nobody is."""

    @property
    def number(self) -> int:
        """Of the newest event."""
        return self.last.number if self.last else 0

    @property
    def summaries(self) -> Mapping[int, Summary]:
        """Of what is finished, by index and in its order."""
        return self.lineage.nodes


class Progress(NamedTuple):
    """Of the first reading."""

    read: int
    of: int


class ReaderClosed(Exception):
    """Ends a first reading that nobody waits for any more."""


class Reader:
    """One state folder, read by any number of threads, never written."""

    def __init__(self, folder: Path, *, now: Callable[[], float]) -> None:
        """`now` is Unix time. Raises `StoreError` where the folder holds no campaign."""
        self.folder = folder
        self.now = now
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._standing: Standing | None = None
        self._digest: Digest | None = None
        self._campaigns = self._digested = 1
        """How many campaigns have lain in the folder, and which of them the digest is of."""
        self._is_closed = False
        self._progress = Progress(0, len(self.standing().summaries))
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="first reading")
        self._first: Future[Digest] | None = None
        self._waiting: list[Callable[[Future[Digest]], None]] = []

    def begin(self, beforehand: Callable[[], object] | None = None) -> Future[Digest]:
        """The first reading, which begins with the first call; of a large campaign after `beforehand`.

        Raises `ReaderClosed`.
        """
        with self._lock:
            if self._first is not None:
                return self._first
            if self._is_closed:
                raise ReaderClosed
            is_large = self._progress.of > _SMALL
            if beforehand is not None and is_large:
                self._readers.submit(beforehand)  # what it fails with, the page tells that is made so
            self._first = first = self._readers.submit(self._read_all)
            waiting, self._waiting = self._waiting, []
        for told in waiting:
            first.add_done_callback(told)
        return first

    def close(self) -> None:
        """Read no more; a first reading that has begun is broken off."""
        self._is_closed = True
        self._readers.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def store(self) -> Generator[SqliteStore]:
        """The store, for this thread and this request only."""
        with opened_store(self.folder, read_only=True) as store:
            yield store

    def standing(self) -> Standing:
        """As of now; the same object as long as nothing has changed."""
        with self.store() as store, self._lock:
            known = _later(self._standing, store) if self._standing else None
            if known is None:
                self._campaigns += self._standing is not None
                known = self._read(store)
            if (writer := holder(self.folder)) != known.writer:
                known = known._replace(writer=writer)
            self._standing = known
            return known

    def digest(self, patience_s: float = PATIENCE_S) -> Digest | None:
        """Of the whole campaign as of now; None while it is read for the first time, which this begins.

        Raises what the first reading failed with.
        """
        try:
            first = self.begin().result(patience_s if self._progress.of <= _SMALL else 0)
        except NotYet:
            return None
        with self._reading, self.store() as store:
            number = self._campaigns
            before = (self._digest or first) if number == self._digested else None
            self._digest, self._digested = digest(store, before), number
            return self._digest

    def when_read(self, then: Callable[[Digest], None]) -> None:
        """Call `then` with the first reading, in some thread; never, where it fails or is broken off."""

        def told(first: Future[Digest]) -> None:
            if not first.cancelled() and first.exception() is None:
                then(first.result())

        with self._lock:
            first = self._first
            if first is None:
                self._waiting.append(told)
        if first is not None:
            first.add_done_callback(told)

    def now_running(self, standing: Standing) -> Now | None:
        """What is in flight, as it was last told; None where nobody is at work."""
        return read_now(self.folder) if standing.writer is not None else None

    @property
    def campaigns(self) -> int:
        """How many campaigns have lain in the folder so far: what was made of an earlier one says nothing of this."""
        return self._campaigns

    @property
    def progress(self) -> Progress:
        """Of the first reading."""
        return self._progress

    def _read(self, store: Store) -> Standing:
        last = store.last_event()  # before all else: what happens meanwhile is read again
        campaign, lineage = existing_campaign(store, self.folder), Lineage(store.summaries())
        measure, lifecycle = yardstick(campaign, lineage.nodes), store.last_event(*_LIFECYCLE)
        return Standing(campaign, lineage, store.unfinished(), last, last, measure, lifecycle, None)

    def _read_all(self) -> Digest:
        with self.store() as store:
            return digest(store, done=self._tell)

    def _tell(self, read: int) -> None:
        if self._is_closed:
            raise ReaderClosed
        self._progress = Progress(read, max(read, self._progress.of))


def _later(known: Standing, store: Store) -> Standing | None:
    """With what has happened since; the same object where nothing has. None where another campaign lies there now."""
    found = store.events(known.number - 1)
    if not found or known.last is None or _mark(found[0]) != _mark(known.last):
        return None
    events = found[1:]
    if not events:
        return known
    lineage = _grown(known.lineage, store, events)
    is_same = lineage is known.lineage
    return known._replace(
        lineage=lineage,
        unfinished=store.unfinished(),
        last=events[-1],
        told=[known.told, *(event for event in events if event.kind in TOLD)][-1],
        yardstick=known.yardstick if is_same else yardstick(known.campaign, lineage.nodes),
        lifecycle=[known.lifecycle, *(event for event in events if event.kind in _LIFECYCLE)][-1],
    )


def _grown(known: Lineage, store: Store, events: Sequence[Event]) -> Lineage:
    if any(event.kind is EventKind.SCORED for event in events):
        return Lineage(store.summaries())
    recorded = [event.experiment for event in events if event.kind is EventKind.RECORDED]
    found = [store.summary(index) for index in recorded if index is not None]
    return known.grown([summary for summary in found if summary is not None]) if found else known


def _mark(event: Event) -> tuple[object, ...]:
    """Tells it from another campaign's."""
    return event.number, event.at, event.kind, event.experiment
