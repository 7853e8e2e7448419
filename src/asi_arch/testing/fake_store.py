"""A campaign's memory without a disk."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from asi_arch.domain.campaign import Campaign, Event, EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import StoreError, StoreMismatch
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.outcome import Run, RunKey
from asi_arch.domain.record import sha256
from asi_arch.domain.repairs import require_repair
from asi_arch.domain.revisions import require_review
from asi_arch.domain.verdict import Verdict

K = TypeVar("K")
V = TypeVar("V")


class FakeStore:
    """`domain.ports.Store` in memory; keeps every promise but durability."""

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._campaign: Campaign | None = None
        self._events: list[Event] = []
        self._proposals: dict[int, Proposal] = {}
        self._later: dict[int, list[Proposal]] = {}
        self._runs: dict[RunKey, Run] = {}
        self._experiments: dict[int, Experiment] = {}
        self._summaries: dict[int, Summary] = {}
        self._verdicts: list[Verdict] = []
        self._blobs: dict[str, bytes] = {}

    def campaign(self) -> Campaign | None:
        """The identity of this store."""
        return self._campaign

    def create(self, campaign: Campaign) -> None:
        """Take an identity. Raises `StoreMismatch` when there is another one."""
        if self._campaign == campaign:
            return
        if self._campaign is not None:
            raise StoreMismatch(f"this store holds another campaign, of profile {self._campaign.profile.name!r}")
        self._campaign = campaign
        self.append(EventKind.CREATED)

    def append(
        self, kind: EventKind, experiment: int | None = None, payload: Mapping[str, object] | None = None
    ) -> Event:
        """Add an event; numbers start at 1."""
        event = Event(
            number=len(self._events) + 1,
            at=self._clock(),
            kind=kind,
            experiment=experiment,
            payload=dict(payload or {}),
        )
        self._events.append(event)
        return event

    def events(self, after: int = 0, *kinds: EventKind) -> list[Event]:
        """Events with a number above `after`, of these kinds where any are named, oldest first."""
        return [event for event in self._events[max(after, 0) :] if not kinds or event.kind in kinds]

    def last_event(self, *kinds: EventKind) -> Event | None:
        """The newest event, or the newest of these kinds."""
        return next((event for event in reversed(self._events) if not kinds or event.kind in kinds), None)

    def unfinished(self) -> dict[int, Proposal]:
        """Proposals that are not recorded yet."""
        return {index: found for index, found in self.proposals().items() if index not in self._experiments}

    def propose(self, index: int, proposal: Proposal) -> None:
        """Remember a proposal."""
        if _is_new(self._proposals, index, proposal, f"proposal {index}"):
            self.append(EventKind.PROPOSED, index)

    def repair(self, index: int, proposal: Proposal) -> None:
        """Put a mended program in the place of a remembered one."""
        known = self.proposals().get(index)
        if known == proposal:
            return
        require_repair(index, known, proposal, is_recorded=index in self._experiments)
        self._later.setdefault(index, []).append(proposal)
        self.append(EventKind.REPAIRED, index)

    def review(self, index: int, proposal: Proposal) -> None:
        """Put a reviewed proposal in the place of a remembered one."""
        known = self.proposals().get(index)
        if known == proposal:
            return
        require_review(index, known, proposal, is_recorded=index in self._experiments)
        self._later.setdefault(index, []).append(proposal)
        self.append(EventKind.REVIEWED, index)

    def proposals(self, before: int | None = None) -> dict[int, Proposal]:
        """Proposals with an index below `before`, by index, as they were last mended or reviewed."""
        indices = [index for index in sorted(self._proposals) if before is None or index < before]
        return {index: self._versions(index)[-1] for index in indices}

    def fingerprints(self) -> dict[str, int]:
        """Fingerprint of every version of every proposal, and the first index that has it."""
        found: dict[str, int] = {}
        for index in sorted(self._proposals):
            for version in self._versions(index):
                found.setdefault(version.fingerprint, index)
        return found

    def _versions(self, index: int) -> list[Proposal]:
        return [self._proposals[index], *self._later.get(index, [])]

    def save_run(self, run: Run) -> None:
        """Remember a finished run."""
        if _is_new(self._runs, run.key, run, f"run {run.key}"):
            self.append(EventKind.RUN_FINISHED)

    def run(self, key: RunKey) -> Run | None:
        """A remembered run."""
        return self._runs.get(key)

    def record(self, experiment: Experiment, fitness: float | None) -> None:
        """Make an experiment permanent."""
        if _is_new(self._experiments, experiment.index, experiment, f"experiment {experiment.index}"):
            self._summaries[experiment.index] = experiment.summary()._replace(fitness=fitness)
            self.append(EventKind.RECORDED, experiment.index)

    def set_fitness(self, values: Mapping[int, float | None]) -> None:
        """Fill in fitness. Raises `StoreError` for an experiment that is not recorded."""
        if missing := [index for index in values if index not in self._summaries]:
            raise StoreError(f"fitness is for recorded experiments, got {missing}")
        for index, value in values.items():
            self._summaries[index] = self._summaries[index]._replace(fitness=value)
        self.append(EventKind.SCORED)

    def experiment(self, index: int) -> Experiment | None:
        """One finished experiment."""
        return self._experiments.get(index)

    def experiments(self) -> Iterable[Experiment]:
        """All finished experiments by index."""
        return (self._experiments[index] for index in sorted(self._experiments))

    def summaries(self, before: int | None = None) -> list[Summary]:
        """Summaries of finished experiments with an index below `before`, by index."""
        return [self._summaries[i] for i in sorted(self._summaries) if before is None or i < before]

    def summary(self, index: int) -> Summary | None:
        """Of one finished experiment."""
        return self._summaries.get(index)

    def pool(self, size: int, before: int) -> list[Summary]:
        """The `size` fittest with an index below `before`, best first, ties to the older."""
        scored = [(-s.fitness, s.index) for s in self._summaries.values() if s.fitness is not None and s.index < before]
        return [self._summaries[index] for _, index in sorted(scored)[:size]]

    def save_verdict(self, verdict: Verdict) -> None:
        """Remember what `verify` found."""
        self._verdicts.append(verdict)
        self.append(EventKind.VERIFIED, verdict.index)

    def verdicts(self) -> list[Verdict]:
        """All verdicts, oldest first."""
        return list(self._verdicts)

    def put_blob(self, content: bytes) -> str:
        """Keep bytes; returns their SHA-256."""
        sha = sha256(content)
        self._blobs[sha] = content
        return sha

    def blob(self, sha: str) -> bytes:
        """Kept bytes. Raises `StoreError` when missing."""
        if sha not in self._blobs:
            raise StoreError(f"no blob {sha}")
        return self._blobs[sha]

    def close(self) -> None:
        """Nothing to let go of."""


def _is_new(table: dict[K, V], key: K, value: V, what: str) -> bool:
    """Put `value` in place. Raises `StoreError` when another one is there."""
    if key in table:
        if table[key] != value:
            raise StoreError(f"{what} is already stored with another content")
        return False
    table[key] = value
    return True
