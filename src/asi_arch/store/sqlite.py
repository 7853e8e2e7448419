"""The embedded store: `asi_arch.domain.ports.Store` on SQLite."""

import math
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import Self

from asi_arch.domain.campaign import Campaign, Event, EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import StoreError, StoreMismatch
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.outcome import Run, RunKey
from asi_arch.domain.repairs import require_repair
from asi_arch.domain.revisions import require_review
from asi_arch.domain.verdict import Verdict
from asi_arch.store.blobs import Blobs
from asi_arch.store.database import Database
from asi_arch.store.failures import damaged, file_errors
from asi_arch.store.lock import FolderLock
from asi_arch.store.rows import (
    SUMMARY_COLUMNS,
    AnyRecord,
    columns_of,
    event_of,
    is_equal,
    pack,
    payload_text,
    summary_of,
    unpack,
)

_AT_ONCE = 64
"""Experiments read together, so that a long walk over all of them holds no read transaction open."""


class SqliteStore:
    """The memory of one campaign in one folder; used by the thread that opened it.

    Every change writes its own event in the same transaction: `create` CREATED, `propose` PROPOSED, `repair` REPAIRED,
    `review` REVIEWED, `save_run` RUN_FINISHED, `record` RECORDED, `set_fitness` SCORED, `save_verdict` VERIFIED. OPENED
    and CLOSED are the caller's.
    """

    def __init__(
        self, folder: Path, database: Database, *, clock: Callable[[], float], lock: FolderLock | None
    ) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock
        self._lock = lock
        self._blobs = Blobs(folder)

    @classmethod
    def open(cls, folder: Path, *, clock: Callable[[], float], owner: str, read_only: bool = False) -> Self:
        """Open the store in `folder`; a writer makes it where it is missing.

        `owner` says to others who is writing (process, host, since when). Raises `StoreLocked` when somebody else
        writes, `StoreMismatch` for a newer schema, `StoreError` for a folder that can't be made, written or read.
        With `read_only` no lock is needed and no file is made or changed.
        """
        if read_only:
            return cls(folder, Database.for_reading(folder), clock=clock, lock=None)
        with file_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(folder, owner=owner, at=clock())
        try:
            return cls(folder, Database.for_writing(folder), clock=clock, lock=lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let go of the files and the lock; closing twice does nothing."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def together(self) -> Generator[None, None, None]:
        """Store all changes made inside at once, at the end: for importers, one synchronisation for all."""
        with self._database.transaction():
            yield

    def campaign(self) -> Campaign | None:
        """The identity of this store; None for an empty one."""
        rows = self._database.rows("SELECT record FROM campaign")
        return self._read(Campaign, rows[0][0]) if rows else None

    def create(self, campaign: Campaign) -> None:
        """Give an empty store its identity. Raises `StoreMismatch` when it has another one."""
        known = self.campaign()
        if known is not None and not is_equal(known, campaign):
            differing = ", ".join(field for field, value in known if value != getattr(campaign, field))
            raise StoreMismatch(
                f"state folder {self._folder} belongs to another campaign (other {differing}); resume that one,"
                " or choose another folder"
            )
        if known is None:
            with self._database.transaction() as connection:
                connection.execute("INSERT INTO campaign VALUES (1, ?)", (campaign.model_dump_json(),))
                self.append(EventKind.CREATED)

    def append(
        self, kind: EventKind, experiment: int | None = None, payload: Mapping[str, object] | None = None
    ) -> Event:
        """Add an event. Numbers start at 1 and have no gaps."""
        at, text = self._clock(), payload_text(payload or {})
        with self._database.transaction() as connection:
            added = connection.execute(
                "INSERT INTO event (at, kind, experiment, payload) VALUES (?, ?, ?, ?)",
                (at, kind.value, experiment, text),
            )
        return event_of((added.lastrowid or 0, at, kind.value, experiment, text))

    def events(self, after: int = 0, *kinds: EventKind) -> list[Event]:
        """Events with a number above `after`, of these kinds where any are named, oldest first."""
        return self._events(kinds, "AND number > ? ORDER BY number", (after,))

    def last_event(self, *kinds: EventKind) -> Event | None:
        """The newest event, or the newest of these kinds; None where there is none."""
        found = self._events(kinds, "ORDER BY number DESC LIMIT 1", ())
        return found[0] if found else None

    def unfinished(self) -> dict[int, Proposal]:
        """Proposals that are not recorded yet, by index, as they were last mended or reviewed."""
        # Found by an index and the small table of summaries, which are recorded with the experiments.
        left = "SELECT number FROM proposal WHERE number NOT IN (SELECT number FROM summary)"
        rows = self._database.rows(f"SELECT number, record FROM proposal WHERE number IN ({left}) ORDER BY number")
        found = {number: self._read(Proposal, record) for number, record in rows}
        return {number: self._mended(number) or proposal for number, proposal in found.items()}

    def propose(self, index: int, proposal: Proposal) -> None:
        """Remember a proposal before any work is done on it."""
        rows = self._database.rows("SELECT record FROM proposal WHERE number = ?", (index,))
        if rows:
            return self._refuse_change(f"proposal {index}", self._read(Proposal, rows[0][0]), proposal)
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO proposal VALUES (?, ?, ?)", (index, proposal.fingerprint, pack(proposal)))
            self.append(EventKind.PROPOSED, index, {"name": proposal.name, "sha": proposal.sha})
        return None

    def repair(self, index: int, proposal: Proposal) -> None:
        """Put a mended program in the place of a remembered one that is not recorded yet."""
        known = self._proposal(index)
        if known is not None and is_equal(known, proposal):
            return
        require_repair(index, known, proposal, is_recorded=self.experiment(index) is not None)
        payload = {"sha": proposal.sha, "failure": proposal.repairs[-1].failure}
        self._add_version(index, proposal, EventKind.REPAIRED, payload)

    def review(self, index: int, proposal: Proposal) -> None:
        """Put a proposal with its review in the place of a remembered one that is not recorded yet."""
        known = self._proposal(index)
        if known is not None and is_equal(known, proposal):
            return
        require_review(index, known, proposal, is_recorded=self.experiment(index) is not None)
        end = proposal.review.end.value if proposal.review is not None else None
        self._add_version(index, proposal, EventKind.REVIEWED, {"sha": proposal.sha, "end": end})

    def proposals(self, before: int | None = None) -> dict[int, Proposal]:
        """All proposals with an index below `before`, by index, as they were last mended or reviewed."""
        bound, values = _below(before)
        rows = self._database.rows(f"SELECT number, record FROM proposal {bound} ORDER BY number", values)
        found: dict[int, bytes] = dict(rows)
        if self._database.has_repairs:
            found.update(self._database.rows(f"SELECT number, record FROM repair {bound} ORDER BY step", values))
        return {number: self._read(Proposal, record) for number, record in found.items()}

    def fingerprints(self) -> dict[str, int]:
        """Fingerprint of every version of every proposal with its index, the first where several share one."""
        versions = "SELECT fingerprint, number FROM proposal"
        if self._database.has_repairs:
            versions += " UNION ALL SELECT fingerprint, number FROM repair"
        return dict(self._database.rows(f"SELECT fingerprint, min(number) FROM ({versions}) GROUP BY fingerprint"))

    def save_run(self, run: Run) -> None:
        """Remember a finished run, so that it is never done twice."""
        known = self.run(run.key)
        if known is not None:
            return self._refuse_change(f"run {run.key}", known, run)
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)", (*_columns(run.key), pack(run)))
            payload = {**run.key.model_dump(mode="json"), "outcome": run.outcome.kind}
            self.append(EventKind.RUN_FINISHED, None, payload)
        return None

    def run(self, key: RunKey) -> Run | None:
        """A remembered run."""
        query = "SELECT record FROM run WHERE sha = ? AND protocol = ? AND stage = ? AND seed = ? AND split = ?"
        rows = self._database.rows(query, _columns(key))
        return self._read(Run, rows[0][0]) if rows else None

    def record(self, experiment: Experiment, fitness: float | None) -> None:
        """Make an experiment permanent: row, event and summary in one transaction.

        A proposal that was not remembered before is remembered as well. A repetition does not change the fitness.
        """
        known = self.experiment(experiment.index)
        if known is not None:
            return self._refuse_change(f"experiment {experiment.index}", known, experiment)
        _require_finite(experiment.index, fitness)
        summary = experiment.summary()._replace(fitness=fitness)
        with self._database.transaction() as connection:
            if not self._database.rows("SELECT 1 FROM proposal WHERE number = ?", (experiment.index,)):
                self.propose(experiment.index, experiment.proposal)
            connection.execute("INSERT INTO experiment VALUES (?, ?)", (experiment.index, pack(experiment)))
            connection.execute("INSERT INTO summary VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns_of(summary))
            payload = {"sha": summary.sha, "outcome": summary.outcome, "fitness": fitness}
            self.append(EventKind.RECORDED, experiment.index, payload)
        return None

    def set_fitness(self, values: Mapping[int, float | None]) -> None:
        """Fill in fitness that could not be computed before all baselines were measured."""
        changed = {index: value for index, value in values.items() if self._fitness(index) != value}
        if not changed:
            return
        with self._database.transaction() as connection:
            for index, value in changed.items():
                _require_finite(index, value)
                connection.execute("UPDATE summary SET fitness = ? WHERE number = ?", (value, index))
            self.append(EventKind.SCORED, None, {"fitness": {str(index): value for index, value in changed.items()}})

    def experiment(self, index: int) -> Experiment | None:
        """One finished experiment."""
        rows = self._database.rows("SELECT record FROM experiment WHERE number = ?", (index,))
        return self._read(Experiment, rows[0][0]) if rows else None

    def experiments(self) -> Iterable[Experiment]:
        """All finished experiments by index, read lazily."""
        query = "SELECT number, record FROM experiment WHERE number > ? ORDER BY number LIMIT ?"
        rows = self._database.rows(query, (-1, _AT_ONCE))
        while rows:
            for _, record in rows:
                yield self._read(Experiment, record)
            rows = self._database.rows(query, (rows[-1][0], _AT_ONCE))

    def summaries(self, before: int | None = None) -> list[Summary]:
        """Summaries of finished experiments with an index below `before`, by index."""
        bound, values = _below(before)
        rows = self._database.rows(f"SELECT {SUMMARY_COLUMNS} FROM summary {bound} ORDER BY number", values)
        with self._sound("a summary"):
            return [summary_of(row) for row in rows]

    def summary(self, index: int) -> Summary | None:
        """Of one finished experiment."""
        rows = self._database.rows(f"SELECT {SUMMARY_COLUMNS} FROM summary WHERE number = ?", (index,))
        with self._sound("a summary"):
            return summary_of(rows[0]) if rows else None

    def pool(self, size: int, before: int) -> list[Summary]:
        """The `size` fittest with an index below `before`, best first, ties to the older; needs no full scan."""
        rows = self._database.rows(
            f"SELECT {SUMMARY_COLUMNS} FROM summary INDEXED BY summary_by_fitness"
            " WHERE fitness IS NOT NULL AND number < ? ORDER BY fitness DESC, number LIMIT ?",
            (before, size),
        )
        with self._sound("a summary"):
            return [summary_of(row) for row in rows]

    def save_verdict(self, verdict: Verdict) -> None:
        """Remember what `verify` found."""
        with self._database.transaction() as connection:
            values = (verdict.sha, verdict.model_dump_json())
            connection.execute("INSERT INTO verdict (sha, record) VALUES (?, ?)", values)
            payload = {"sha": verdict.sha, "vault_looks": verdict.vault_looks}
            self.append(EventKind.VERIFIED, verdict.index, payload)

    def verdicts(self) -> list[Verdict]:
        """All verdicts, oldest first."""
        rows = self._database.rows("SELECT record FROM verdict ORDER BY number")
        return [self._read(Verdict, record) for (record,) in rows]

    def put_blob(self, content: bytes) -> str:
        """Store bytes by content; returns their SHA-256."""
        if self._lock is None:
            raise StoreError(f"state folder {self._folder} was opened for reading only")
        return self._blobs.put(content)

    def blob(self, sha: str) -> bytes:
        """Stored bytes. Raises `StoreError` when missing or damaged."""
        return self._blobs.get(sha)

    def _add_version(self, index: int, proposal: Proposal, kind: EventKind, payload: Mapping[str, object]) -> None:
        """Of a proposal; all of them lie in the table of repairs, in their order."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO repair SELECT ?, count(*) + 1, ?, ? FROM repair WHERE number = ?",
                (index, proposal.fingerprint, pack(proposal), index),
            )
            self.append(kind, index, payload)

    def _proposal(self, index: int) -> Proposal | None:
        """As it was last mended or reviewed."""
        rows = self._database.rows("SELECT record FROM proposal WHERE number = ?", (index,))
        return self._mended(index) or (self._read(Proposal, rows[0][0]) if rows else None)

    def _mended(self, index: int) -> Proposal | None:
        """Its last version after the first; None where there is only one."""
        if not self._database.has_repairs:
            return None
        rows = self._database.rows("SELECT record FROM repair WHERE number = ? ORDER BY step DESC LIMIT 1", (index,))
        return self._read(Proposal, rows[0][0]) if rows else None

    def _events(self, kinds: Sequence[EventKind], rest: str, values: tuple[int, ...]) -> list[Event]:
        chosen = f"kind IN ({', '.join('?' * len(kinds))})" if kinds else "1"
        query = f"SELECT number, at, kind, experiment, payload FROM event WHERE {chosen} {rest}"
        rows = self._database.rows(query, (*(kind.value for kind in kinds), *values))
        with self._sound("an event"):
            return [event_of(row) for row in rows]

    def _fitness(self, index: int) -> float | None:
        rows = self._database.rows("SELECT fitness FROM summary WHERE number = ?", (index,))
        if not rows:
            raise StoreError(f"state folder {self._folder} has no experiment {index} to give a fitness to")
        return rows[0][0]

    def _read(self, kind: type[AnyRecord], stored: bytes | str) -> AnyRecord:
        with self._sound(f"a record of kind {kind.__name__}"):
            return kind.model_validate_json(stored) if isinstance(stored, str) else unpack(kind, stored)

    @contextmanager
    def _sound(self, what: str) -> Generator[None, None, None]:
        """Say 'damaged' where stored bytes are not what any version has written."""
        try:
            yield
        except (ValueError, TypeError, zlib.error) as error:
            raise damaged(self._folder, f"{what} can't be read") from error

    def _refuse_change(self, what: str, known: AnyRecord, given: AnyRecord) -> None:
        if not is_equal(known, given):
            raise StoreError(f"state folder {self._folder} already holds another {what}; finished records never change")


def _below(before: int | None) -> tuple[str, tuple[int, ...]]:
    return ("", ()) if before is None else ("WHERE number < ?", (before,))


def _columns(key: RunKey) -> tuple[Any, ...]:
    return key.sha, key.protocol, key.stage.value, key.seed, key.split.value


def _require_finite(index: int, fitness: float | None) -> None:
    assert fitness is None or math.isfinite(fitness), f"fitness of experiment {index} must be finite, got {fitness}"
