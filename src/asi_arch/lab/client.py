"""`LocalLab`: checks, trainings and scorings in fresh children of a warm parent on this machine. Free of torch."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from asi_arch.domain.candidate import Adapter
from asi_arch.domain.errors import LabError
from asi_arch.domain.outcome import CheckReport, Outcome, Run, StoppedEarly
from asi_arch.domain.ports import Ballot, BlindScores, NextToken, Progress, Ruling, RunOrder, Task
from asi_arch.domain.profile import Profile, StageName
from asi_arch.lab.blind_scoring import score_blind
from asi_arch.lab.checking import check_source
from asi_arch.lab.checks.setting import CheckSetting, Shape
from asi_arch.lab.continuing import continue_text
from asi_arch.lab.contract import TrainJob
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.preparing import Workers
from asi_arch.lab.running import train_and_score, train_job
from asi_arch.lab.sandbox.selftest import require_walls
from asi_arch.lab.sandbox.tier import Tier

T = TypeVar("T")
_ATTEMPTS = 2
_MEMORY_MARGIN_MIB = 512
"""Over what the checks allow, whose own watch is to say what was too large."""


class LocalLab:
    """`domain.ports.Lab` with processes on this machine.

    A candidate's process has a cleared environment, its own session, and dies with everything below it. What it can
    reach besides depends on the tier.
    """

    def __init__(
        self,
        profile: Profile,
        tasks: Mapping[StageName, Task],
        *,
        reference_source: str,
        protocol: str,
        workers: int = 2,
        tier: Tier = Tier.NONE,
    ) -> None:
        """`reference_source` sets the number of parameters that all models get; `workers` limits trainings at once."""
        self._tier = tier
        self._profile = profile
        self._tasks = tasks
        self._reference_source = reference_source
        self._protocol = protocol
        self._training = asyncio.Semaphore(workers)
        self._parent: WarmParentHandle | None = None
        self._workers = Workers()
        self._starting = asyncio.Lock()
        self._calibrating = asyncio.Lock()
        self._target_parameters: int | None = None
        self.cold_start_s = 0.0

    @property
    def containment(self) -> str:
        """The tier's name."""
        return self._tier.value

    @property
    def parent_pid(self) -> int | None:
        """Of the warm parent; None while there is none."""
        return None if self._parent is None else self._parent.pid

    @property
    def spare_pids(self) -> set[int]:
        """Of the forked children that wait for a job."""
        return set() if self._parent is None else self._parent.spare_pids

    async def start(self) -> None:
        """Start the warm parent. Raises `LabError` when torch can't be imported there."""
        parent = await self._living_parent()
        self.cold_start_s = parent.cold_start_s

    async def close(self) -> None:
        """End the warm parent and everything below it."""
        await self._workers.close()
        if self._parent is not None:
            await self._parent.close()
            self._parent = None

    async def check(self, source: str, adapter: Adapter = Adapter.MIXER) -> CheckReport:
        """Checks in a fresh child; the first call measures the reference's parameters before it."""
        async with self._calibrating:
            if self._target_parameters is None and source != self._reference_source:
                await self._calibrate()
        return await self._retried(lambda parent: check_source(parent, source, self._setting(), adapter))

    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        """Train, score, check again. Waits while as many trainings as workers are running."""
        task = self._task_of(order)
        if order.ballot is not None:
            order = order._replace(ballot=self._making_room(order.ballot))
        async with self._training:
            run, weights = await self._retried(
                lambda parent: train_and_score(
                    parent,
                    self._profile,
                    task,
                    order=order,
                    workers=self._workers,
                    following=self._following(order),
                    setting=self._setting(),
                    on_progress=on_progress,
                    clock=time.monotonic,
                )
            )
        return run.model_copy(update={"containment": self.containment}), weights

    async def score_blind(self, order: RunOrder, weights: bytes) -> BlindScores | Outcome:
        """Score trained weights (safetensors) on the order's split, blind only; waits like a training."""
        task = self._task_of(order)
        async with self._training:
            return await self._retried(lambda parent: score_blind(parent, self._profile, task, order, weights))

    async def continue_text(self, order: RunOrder, weights: bytes, prompt: Sequence[int], choose: NextToken) -> Outcome:
        """One token after another from trained weights (safetensors). Never tried again: `choose` has been heard."""
        return await continue_text(await self._living_parent(), self._profile, order, weights, prompt, choose)

    def _following(self, order: RunOrder) -> TrainJob | None:
        """The job of the run that comes next; on a GPU it waits its turn, because memory there is for one."""
        if order.then is None or self._profile.device != "cpu":
            return None
        return train_job(self._profile, self._tasks[order.then.stage], order, order.then)

    def _task_of(self, order: RunOrder) -> Task:
        if order.key.protocol != self._protocol:
            raise LabError(f"this lab measures under protocol {self._protocol[:8]}, not {order.key.protocol[:8]}")
        return self._tasks[order.key.stage]

    def _making_room(self, ballot: Ballot) -> Ballot:
        """While a run waits for the others' votes, another one may train in its place: it may be theirs."""

        async def vote(step: int, stop: StoppedEarly | None) -> Ruling:
            if stop is None:
                return await ballot(step, stop)
            self._training.release()
            try:
                return await ballot(step, stop)
            finally:
                await self._training.acquire()

        return vote

    async def _calibrate(self) -> None:
        report = await self._retried(lambda parent: check_source(parent, self._reference_source, self._setting()))
        if report.footprint is None:
            reasons = "; ".join(finding.message for finding in report.findings)
            raise LabError(f"the reference baseline could not be built: {reasons}")
        self._target_parameters = report.footprint.model_parameters

    def _setting(self) -> CheckSetting:
        stage, recall = self._profile.language, self._profile.recall
        trained_in = {(stage.batch, stage.context): None, (recall.batch, recall.length): None}
        return CheckSetting(
            spec=self._profile.checks,
            model=self._profile.model,
            vocabulary=self._tasks[StageName.LANGUAGE].vocabulary,
            context=stage.context,
            batches=tuple(Shape(rows=rows, length=length) for rows, length in trained_in),
            target_parameters=self._target_parameters,
        )

    async def _retried(self, work: Callable[[WarmParentHandle], Awaitable[T]]) -> T:
        """Once more with a new warm parent when ours has gone: that is never the candidate's result."""
        for attempt in range(1, _ATTEMPTS + 1):
            parent = await self._living_parent()
            try:
                return await work(parent)
            except LabError:
                if attempt == _ATTEMPTS or not parent.is_dead:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _living_parent(self) -> WarmParentHandle:
        async with self._starting:
            if self._parent is not None and self._parent.is_dead:
                await self._parent.close()
                self._parent = None
            if self._parent is None:
                memory_mib = self._profile.checks.memory_mib + _MEMORY_MARGIN_MIB
                self._parent = await WarmParentHandle.start(self._profile.device, self._tier, memory_mib=memory_mib)
                await self._require_walls(self._parent)
            return self._parent

    async def _require_walls(self, parent: WarmParentHandle) -> None:
        """A sandbox that does not hold is worse than none, because one relies on it."""
        if not self._tier.is_contained:
            return
        try:
            await require_walls(parent)
        except BaseException:
            self._parent = None
            await parent.close()
            raise
