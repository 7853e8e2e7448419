"""Many experiments: proposals in order of index, trainings side by side, records as they come.

The choice made for experiment n depends only on finished experiments below `Schedule.snapshot(n)` and on proposals
below n. Proposals are made in order of index, and n waits until its snapshot is complete. So the lineage and all
numbers are the same whatever the number of workers and whoever finishes first; a resumed campaign takes the stored
proposals again. The one exception is a candidate near the limit of CPU time, which a busier machine may end.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from asi_arch.domain.agenda import Agenda
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.cognition import Passage
from asi_arch.domain.errors import LabError
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.minds import MindError
from asi_arch.domain.outcome import Measured
from asi_arch.domain.ports import Brief, Evidence, Known
from asi_arch.domain.profile import StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.cycle import run_experiment
from asi_arch.engine.failures import Failures
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Proposed, Recorded, Rescored
from asi_arch.engine.reflecting import Agendas
from asi_arch.search.fitness import Fitness
from asi_arch.search.sampling import Sampler, Schedule
from asi_arch.stats.paired import pooled_std

_NO_FAILURES = ("measured", "stopped_early")
_PASSAGES = 3
"""Of the literature, for each proposal, as in the paper."""


class _Idea(NamedTuple):
    """What is to be tried, and how long it took to be thought of."""

    proposal: Proposal
    took_s: float


class CampaignLoop:
    """Runs a campaign up to its limits. Call `drain` to stop after the experiments in flight."""

    def __init__(self, bench: Bench, limits: Limits, *, slots: int) -> None:
        self._bench = bench
        self._limits = limits
        self._slots = asyncio.Semaphore(slots)
        search = bench.campaign.profile.search
        self._schedule = Schedule(search)
        self._sampler = Sampler(search)
        self._agendas = Agendas(bench)
        self._proposals = bench.store.proposals()
        self._taken = bench.store.fingerprints()
        self._summaries = {summary.index: summary for summary in bench.store.summaries()}
        self._failures = Failures(bench.store.experiment, bench.likeness)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ideas: dict[int, asyncio.Task[_Idea | None]] = {}
        self._compute_s = 0.0
        if limits.compute_s is not None:
            self._compute_s = sum(e.cost.cpu_s for e in bench.store.experiments())
        self._started = bench.clock.tick()
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Take up nothing new, and wait for nobody's next idea."""
        self._draining.set()

    @property
    def done(self) -> int:
        """Finished experiments, earlier sessions included."""
        return len(self._summaries)

    async def run(self) -> None:
        """Until a limit is reached or `drain` was called. Cancelling stops at once and loses nothing finished.

        Raises `MindError` where a researcher got no usable answer, once the experiments in flight are finished.
        """
        self._bench.store.append(EventKind.OPENED, None, {"done": self.done})
        self._settle()
        try:
            index = 0
            while not self._is_over(index):
                if index not in self._summaries:
                    await self._start(index)
                index += 1
            await asyncio.gather(*self._tasks.values())
        except MindError:
            await asyncio.gather(*self._tasks.values())  # nobody has the next idea; what is in training is finished
            raise
        finally:
            await _cancel([*self._tasks.values(), *self._ideas.values()])
        self._bench.store.append(EventKind.CLOSED, None, {"done": self.done})

    async def _start(self, index: int) -> None:
        """Have the next ideas thought of, wait for a free slot and for this one's, begin."""
        self._think_of(index, self._bench.ahead)
        await self._slots.acquire()
        self._think_of(index, 1)
        is_taken = False
        try:
            idea = None if self._is_over(index) else await self._ideas[index]
            is_taken = idea is not None and not self._is_over(index)
        finally:
            if not is_taken:
                self._slots.release()
        if idea is None or not is_taken:
            return
        self._bench.listen(Proposed(index, idea.proposal))
        self._tasks[index] = asyncio.create_task(
            self._experiment(index, idea.proposal, idea.took_s), name=f"experiment {index}"
        )

    def _think_of(self, index: int, count: int) -> None:
        """Begin with ideas for `index` and those after it, in order, as far as all they may look at has been begun."""
        for later in range(index, index + count):
            if self._visible(later) > index:
                return
            if later not in self._summaries and later not in self._ideas:
                earlier = self._ideas.get(later - 1)
                self._ideas[later] = asyncio.create_task(self._thought(later, earlier), name=f"idea {later}")

    async def _thought(self, index: int, earlier: "asyncio.Task[_Idea | None] | None") -> "_Idea | None":
        """The idea after the one before it, and after everything it may look at; None once the campaign is over."""
        if earlier is not None:
            await asyncio.wait({earlier})
            if earlier.cancelled() or earlier.exception() is not None or earlier.result() is None:
                return None
        await self._wait_for(range(self._visible(index)))
        if self._is_over(index):
            return None
        tick = self._bench.clock.tick()
        proposal = self._proposals.get(index) or await self._idea(index)
        return None if proposal is None else _Idea(proposal, self._bench.clock.tick() - tick)

    async def _experiment(self, index: int, proposal: Proposal, propose_s: float) -> None:
        try:
            experiment = await run_experiment(self._bench, index, proposal, lambda: self._evidence(index, proposal))
        finally:
            self._slots.release()
        cost = experiment.cost.model_copy(update={"propose_s": propose_s})
        self._record(experiment.model_copy(update={"cost": cost}))

    def _is_over(self, index: int) -> bool:
        limits = self._limits
        return (
            self._draining.is_set()
            or (limits.experiments is not None and index >= limits.experiments)
            or (limits.wall_s is not None and self._bench.clock.tick() - self._started >= limits.wall_s)
            or (limits.compute_s is not None and self._compute_s >= limits.compute_s)
            or any(task.done() and task.exception() is not None for task in self._tasks.values())
        )

    async def _wait_for(self, indices: range) -> None:
        pending = [self._tasks[i] for i in indices if i in self._tasks and i not in self._summaries]
        await asyncio.gather(*pending)

    async def _idea(self, index: int) -> Proposal | None:
        """The proposal, or None where the campaign is over before there is one: a mind may think for hours."""
        asking = asyncio.create_task(self._propose(index))
        draining = asyncio.create_task(self._draining.wait())
        try:
            while not asking.done() and not self._is_over(index):
                running = [task for task in self._tasks.values() if not task.done()]
                events = {asking, draining, *running}
                await asyncio.wait(events, timeout=self._left_s(), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            await _cancel([asking, draining])

    def _left_s(self) -> float | None:
        """Of this session's time; None without a limit."""
        if self._limits.wall_s is None:
            return None
        return max(0.0, self._limits.wall_s - (self._bench.clock.tick() - self._started))

    async def _propose(self, index: int) -> Proposal:
        """The baseline whose turn it is, or an invention; stored before any work."""
        name = self._schedule.baseline_at(index)
        proposal = self._bench.baseline(name) if name is not None else await self._invent(index)
        self._bench.store.propose(index, proposal)
        self._proposals[index] = proposal
        self._taken[proposal.fingerprint] = index
        return proposal

    async def _invent(self, index: int) -> Proposal:
        rng = Random(f"{self._bench.campaign.seed}:propose:{index}")
        search = self._bench.campaign.profile.search
        baselines = [
            i for i, proposal in sorted(self._proposals.items()) if proposal.author is Author.BASELINE and i < index
        ]
        pool: list[Summary] = []
        if index >= search.cold_start:
            pool = self._bench.store.pool(search.pool_size, self._schedule.snapshot(index))
        choice = self._sampler.choose(index, pool, baselines, rng)
        if not self._bench.campaign.profile.agents.references:
            choice = choice._replace(references=())
        brief = Brief(
            parent=None if choice.parent is None else self._proposals[choice.parent],
            references=[self._proposals[i] for i in choice.references],
            parent_index=choice.parent,
            reference_indices=tuple(choice.references),
            taken=self._taken,
            known=lambda: self._known(index, choice.parent, choice.references),
            experiment=index,
            earlier=self._proposals,
            cycle=self._visible(index),
            agenda=await self._agenda(self._schedule.snapshot(index)),
        )
        return await self._bench.researcher.propose(brief, rng)

    async def _agenda(self, snapshot: int) -> Agenda | None:
        load = self._bench.store.experiment
        return await self._agendas.at(
            snapshot, self._fitness(self._summaries), lambda: seed_noise(load, range(snapshot))
        )

    def _known(self, index: int, parent: int | None, references: Sequence[int]) -> Known:
        """What this index may see of a brief's proposals, whoever finished first, and the failures to learn from."""
        visible = self._visible(index)

        def load(i: int) -> Experiment | None:
            return self._bench.store.experiment(i) if i < visible else None

        failed = [
            i
            for i, summary in sorted(self._summaries.items())
            if i < visible and summary.author is not Author.BASELINE
            if summary.outcome not in _NO_FAILURES or self._proposals[i].repairs
        ]
        origin = None if parent is None else load(parent)
        return Known(
            baseline=load(0) if index else None,
            parent=origin,
            references=[found for i in references if (found := load(i)) is not None],
            failures=self._failures.nearest(origin.proposal if origin else None, failed),
            noise_nats=seed_noise(load, range(visible)),
            passages=self._passages(origin),
        )

    def _passages(self, parent: Experiment | None) -> Sequence[Passage]:
        """What fits the parent's findings; nothing before it was analysed."""
        if self._bench.cognition is None or parent is None or parent.analysis is None:
            return ()
        findings = " ".join(parent.analysis.findings) or f"{parent.analysis.results} {parent.analysis.lessons}".strip()
        return self._bench.cognition.near(findings, _PASSAGES) if findings else ()

    def _visible(self, index: int) -> int:
        """Experiments below this are what this index may look at."""
        return max(self._schedule.snapshot(index), min(index, 1))

    async def _evidence(self, index: int, proposal: Proposal) -> Evidence:
        """Reference, parent and siblings that this index may see, whoever finished first."""
        if proposal.parent is not None:
            await self._wait_for(range(proposal.parent, proposal.parent + 1))
        visible = self._visible(index)
        siblings: list[int] = []
        if proposal.parent is not None:
            siblings = [i for i, s in self._summaries.items() if s.parent == proposal.parent and i < visible]
        load = self._bench.store.experiment
        parent = None if proposal.parent is None else load(proposal.parent)
        origin = None if parent is None else parent.proposal.parent
        return Evidence(
            reference=load(0) if index else None,
            parent=parent,
            siblings=[found for i in sorted(siblings)[-8:] if (found := load(i)) is not None],
            others=[other for i, other in sorted(self._proposals.items()) if i < index],
            noise_nats=seed_noise(load, range(visible)),
            experiment=index,
            grandparent=load(origin) if origin is not None and origin < visible else None,
        )

    def _record(self, experiment: Experiment) -> None:
        _require_baseline(experiment)
        summary = experiment.summary()
        known = {**self._summaries, summary.index: summary}
        fitness = self._fitness(known)
        value = fitness.of(summary) if fitness else None
        self._bench.store.record(experiment, value)
        self._summaries = known
        self._proposals[summary.index] = experiment.proposal
        self._taken.setdefault(experiment.proposal.fingerprint, summary.index)
        if experiment.proposal.author is Author.BASELINE:
            self._settle()
        self._compute_s += experiment.cost.cpu_s
        self._bench.listen(Recorded(experiment, value, self.done))

    def _settle(self) -> None:
        """With the baselines known, earlier experiments get their fitness.

        Done at the start as well: the last session may have been killed right after it recorded a baseline.
        """
        fitness = self._fitness(self._summaries)
        if fitness is not None:
            values = {index: fitness.of(summary) for index, summary in self._summaries.items()}
            changed = {i: v for i, v in values.items() if v != self._summaries[i].fitness}
            self._bench.store.set_fitness(changed)
            self._bench.listen(Rescored(changed))

    def _fitness(self, known: Mapping[int, Summary]) -> Fitness | None:
        """None until both baselines that it is relative to have been measured."""
        search = self._bench.campaign.profile.search
        placed = {name: index for index, name in self._schedule.baselines_below(2 * len(search.baselines)).items()}
        reference, floor = known.get(placed[search.baselines[0]]), known.get(placed[search.recall_floor])
        if reference is None or floor is None or not (reference.is_measured and floor.is_measured):
            return None
        others = [summary for index in placed.values() if (summary := known.get(index)) is not None]
        return Fitness(self._bench.campaign.profile.fitness, reference, floor, others)


def _require_baseline(experiment: Experiment) -> None:
    """A campaign without its baselines means nothing. They are ours, so nothing is recorded and the next session tries
    again.
    """
    if experiment.proposal.author is Author.BASELINE and not isinstance(experiment.outcome, Measured):
        reason = experiment.outcome.model_dump_json(exclude={"log"})
        raise LabError(f"the baseline {experiment.proposal.name} could not be measured: {reason}")


def seed_noise(load: Callable[[int], Experiment | None], indices: range) -> float | None:
    """Standard deviation of the language loss between seeds, pooled over the measured experiments; None before any."""
    groups: list[list[float]] = []
    for index in list(indices)[-20:]:
        experiment = load(index)
        if experiment is None:
            continue
        losses = [
            r.score.loss_nats for r in experiment.runs if r.key.stage is StageName.LANGUAGE and r.score is not None
        ]
        if len(losses) > 1:
            groups.append(losses)
    return pooled_std(groups) if groups else None


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
