"""One run: train in a fresh child, score in another, compute the loss here."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from safetensors.numpy import save

from asi_arch.domain.errors import LabError
from asi_arch.domain.outcome import (
    CheckReport,
    Crashed,
    Measured,
    Outcome,
    Rejected,
    Run,
    RunKey,
    Severity,
    StoppedEarly,
)
from asi_arch.domain.ports import Progress, Ruling, RunOrder, Task
from asi_arch.domain.profile import LanguageStage, Profile, RecallStage, StageName
from asi_arch.lab import processes
from asi_arch.lab.checking import check_weights
from asi_arch.lab.checks.setting import CheckSetting
from asi_arch.lab.contract import Arrays, CheckTrainedJob, ScoreJob, StepReport, Tokens, TrainJob, Weights
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled, conversation
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.preparing import Workers
from asi_arch.lab.scoring import Scored, Scoring
from asi_arch.lab.strictness import complaint_about
from asi_arch.lab.watch import LiveWatch

_AHEAD = 4
"""Batches that are sent before the first answer, so that the worker never waits."""
_MAX_WEIGHTS = 1 << 30
"""Bytes."""


class Trained(NamedTuple):
    """What a worker left: an outcome, and weights where it got to the end."""

    outcome: Outcome
    weights: Arrays
    auxiliary: float
    cpu_s: float
    peak_mib: float


async def train_and_score(
    parent: WarmParentHandle,
    profile: Profile,
    task: Task,
    *,
    order: RunOrder,
    workers: Workers,
    following: TrainJob | None,
    setting: CheckSetting,
    on_progress: Callable[[Progress], None],
    clock: Callable[[], float],
) -> tuple[Run, bytes]:
    """The run and its weights as safetensors; steps and tokens are counted here. `clock` is monotonic, in seconds.

    `following` is the job of `order.then`, for which a worker is prepared while this run is checked.
    """
    started = clock()
    stage = stage_of(profile, order.key.stage)
    watch = LiveWatch(profile.watch, order.key.stage, steps=stage.steps, baseline=order.baseline)
    training = _Training(profile, task, order, workers=workers, watch=watch, on_progress=on_progress, clock=clock)
    patience_s = profile.watch.stall_s
    async with conversation(parent, patience_s) as scorer, conversation(parent, patience_s) as blind:

        async def prepare() -> None:
            try:
                for talk in (scorer, blind):
                    await talk.say(score_job(profile, task, order))
            except Stalled:
                raise LabError("a scorer that has not seen the candidate yet does not take its job") from None

        trained = await training.run(parent, meanwhile=prepare)
        scored, report = Scored(trained.outcome, None, 0.0), None
        if trained.weights:
            async with _checking(parent, order, setting, trained.weights) as checking:
                scored = await _scored(Scoring(profile, task, order, trained.weights), order, scorer, blind)
                if scored.score is not None and order.then is not None and following is not None:
                    await workers.prepare(parent, order.then, following, patience_s)
                if scored.score is not None and checking is not None:
                    report = await checking
                    scored = _unless_rejected(scored, report, order.key.stage)
    if order.then is not None and scored.score is None:
        workers.drop(order.then)
    steps = len(watch.losses)
    run = Run(
        key=order.key,
        outcome=scored.outcome,
        losses=tuple(float(f"{loss:.6g}") for loss in watch.losses),
        score=scored.score,
        would_stop=training.would_stop,
        auxiliary=trained.auxiliary,
        findings=report.findings if report else (),
        steps=steps,
        tokens=steps * training.tokens_per_step,
        parameters=sum(array.size for array in trained.weights.values()),
        mlp_width=order.mlp_width,
        cpu_s=trained.cpu_s,
        score_cpu_s=scored.cpu_s,
        check_cpu_s=report.cpu_s if report else 0.0,
        check_wall_s=report.wall_s if report else 0.0,
        wall_s=clock() - started,
        peak_mib=trained.peak_mib,
    )
    return run, save(dict(trained.weights)) if scored.score is not None else b""


@asynccontextmanager
async def _checking(
    parent: WarmParentHandle, order: RunOrder, setting: CheckSetting, weights: Arrays
) -> AsyncGenerator["asyncio.Task[CheckReport] | None"]:
    """The checks of the trained weights, under way while these are scored; ended where nobody waits for them."""
    if not order.is_rechecked:
        yield None
        return
    job = CheckTrainedJob(source=order.source, adapter=order.adapter, setting=setting)
    checking = asyncio.create_task(check_weights(parent, job, weights))
    try:
        yield checking
    finally:
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)


async def _scored(scoring: Scoring, order: RunOrder, scorer: Conversation, blind: Conversation) -> Scored:
    """All rows, and then the blind positions of what has a score; only what both agree on keeps it."""
    await scoring.hand_over(scorer, blind)
    scored = await scoring.score(scorer)
    if scored.score is not None:
        scored = await scoring.confirm(blind, scored)
    if scored.score is not None and order.keep_losses is not None:
        order.keep_losses(scoring.losses)
    return scored


def _unless_rejected(scored: Scored, report: CheckReport, stage: StageName) -> Scored:
    """The score as it is, or none where a check of the trained weights failed: a gate may have opened in training."""
    failed = next((finding for finding in report.findings if finding.severity is Severity.ERROR), None)
    if failed is None:
        return scored
    return Scored(Rejected(check=failed.check, reason=failed.message, stage=stage), None, scored.cpu_s)


def stage_of(profile: Profile, name: StageName) -> LanguageStage | RecallStage:
    """The profile's settings of a stage."""
    return profile.language if name is StageName.LANGUAGE else profile.recall


class _Training:
    """The controller's half of a training."""

    def __init__(
        self,
        profile: Profile,
        task: Task,
        order: RunOrder,
        *,
        workers: Workers,
        watch: LiveWatch,
        on_progress: Callable[[Progress], None],
        clock: Callable[[], float],
    ) -> None:
        self._profile = profile
        self._stage = stage_of(profile, order.key.stage)
        self._task = task
        self._order = order
        self._workers = workers
        self._watch = watch
        self._on_progress = on_progress
        self._clock = clock
        self._auxiliary = 0.0
        self._peak_mib = 0.0
        self.tokens_per_step = 0
        self.would_stop: StoppedEarly | None = None
        """The first early stop that was let through."""

    async def run(self, parent: WarmParentHandle, *, meanwhile: Callable[[], Awaitable[None]]) -> Trained:
        """Stream batches, watch, take the weights; whatever goes wrong with the child is its outcome.

        `meanwhile` is done once the first step is, while the worker is busy with the batches that it has.
        """
        weights: Arrays = {}
        async with self._workers.worker(parent, self._order.key, self._profile.watch.stall_s) as talk:
            try:
                outcome, weights = await self._dialogue(talk, meanwhile)
            except Stalled:
                outcome = self._watch.stalled()
            except ChildFailed as failure:
                outcome = self._failed(failure)
            cpu_s = talk.cpu_s
            if weights:
                talk.dismiss()
        return Trained(outcome, weights, self._auxiliary, cpu_s, self._peak_mib)

    async def _dialogue(self, talk: Conversation, meanwhile: Callable[[], Awaitable[None]]) -> tuple[Outcome, Arrays]:
        await self._begin(talk)
        started = self._clock()
        for step in range(self._stage.steps):
            message, _ = await talk.hear(self._profile.watch.stall_s)
            if not isinstance(message, StepReport):
                raise ChildFailed(f"the process answered a batch with '{message.kind}'")
            outcome = self._take(step, message, self._clock() - started, talk.pid)
            if self._watch.is_at_rung:
                outcome = await self._ruled(step + 1, outcome)
            if outcome is not None:
                return outcome, {}
            if step + _AHEAD < self._stage.steps:
                await self._send_batch(talk, step + _AHEAD)
            if step == 0:
                await meanwhile()
        message, weights = await talk.hear(self._profile.watch.stall_s, _MAX_WEIGHTS)
        if not isinstance(message, Weights):
            raise ChildFailed("the process sent something else than its weights")
        if complaint := complaint_about(weights, vocabulary=self._task.vocabulary, width=self._profile.model.width):
            raise ChildFailed(f"the process sent weights that can't be used: {complaint}")
        self._peak_mib = message.peak_mib
        return Measured(), weights

    async def _begin(self, talk: Conversation) -> None:
        """The job, where the worker was not prepared, and the first batches."""
        if not talk.has_begun:
            await talk.say(train_job(self._profile, self._task, self._order, self._order.key))
        for step in range(min(_AHEAD, self._stage.steps)):
            await self._send_batch(talk, step)

    def _take(self, step: int, report: StepReport, elapsed_s: float, pid: int) -> Outcome | None:
        """CPU time is the kernel's count where it can be read: the child's own clock may have been tampered with."""
        if math.isfinite(report.auxiliary):
            self._auxiliary = max(self._auxiliary, abs(report.auxiliary))
        counted = processes.cpu_s(pid)
        outcome = self._watch.step(report.loss, report.cpu_s if counted is None else counted)
        tokens_per_s = (step + 1) * self.tokens_per_step / max(elapsed_s, 1e-9)
        self._on_progress(Progress(step + 1, self._stage.steps, report.loss, tokens_per_s, report.wall_s))
        return outcome

    async def _ruled(self, step: int, outcome: Outcome | None) -> Outcome | None:
        """Whether an early stop stands is not this run's decision alone; everything else is."""
        if self._order.ballot is None or not isinstance(outcome, StoppedEarly | None):
            return outcome
        ruling = await self._order.ballot(step, outcome)
        if ruling is Ruling.LET_THROUGH and self.would_stop is None:
            self.would_stop = outcome
        return outcome if ruling is Ruling.STOP else None

    async def _send_batch(self, talk: Conversation, step: int) -> None:
        batch = self._task.train_batch(self._order.key.seed, step)
        self.tokens_per_step = batch.inputs.size
        await talk.say(Tokens(), {"inputs": batch.inputs, "targets": batch.targets})

    def _failed(self, failure: ChildFailed) -> Outcome:
        stage = self._order.key.stage
        if failure.is_tampering:
            return Rejected(check="tampering", reason=failure.reason, stage=stage)
        return Crashed(stage=stage, reason=failure.reason, log=failure.log)


def train_job(profile: Profile, task: Task, order: RunOrder, key: RunKey) -> TrainJob:
    """What a worker needs to build the order's model and train it for the run `key`."""
    stage = stage_of(profile, key.stage)
    return TrainJob(
        source=order.source,
        adapter=order.adapter,
        model=profile.model,
        vocabulary=task.vocabulary,
        mlp_width=order.mlp_width,
        optimizer=stage.optimizer,
        steps=stage.steps,
        seed=key.seed,
        device=profile.device,
        precision=profile.precision,
    )


def score_job(profile: Profile, task: Task, order: RunOrder) -> ScoreJob:
    """What a scorer needs to build the order's model."""
    return ScoreJob(
        source=order.source,
        adapter=order.adapter,
        model=profile.model,
        vocabulary=task.vocabulary,
        mlp_width=order.mlp_width,
        device=profile.device,
        precision=profile.precision,
    )
