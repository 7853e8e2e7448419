"""One run: train in a fresh child, score in another, compute the loss here."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from asi_arch.domain.outcome import (
    Crashed,
    Leaking,
    Measured,
    Outcome,
    Run,
    StageScore,
    StoppedEarly,
    TimedOut,
)
from asi_arch.domain.ports import Progress, Ruling, RunOrder, Task
from asi_arch.domain.profile import LanguageStage, Profile, RecallStage, StageName
from asi_arch.lab import processes
from asi_arch.lab.blind import Answer, disguised, finding, generator, questions, wanted
from asi_arch.lab.checks.setting import scored_rows
from asi_arch.lab.contract import Arrays, Load, ScoreJob, StepReport, Tokens, TrainJob, Weights
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled, conversation
from asi_arch.lab.hidden_states import hidden_states
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.referee import BadHidden, Referee
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


class Scored(NamedTuple):
    """What a scorer left."""

    outcome: Outcome
    score: StageScore | None
    cpu_s: float


async def train_and_score(
    parent: WarmParentHandle,
    profile: Profile,
    task: Task,
    *,
    order: RunOrder,
    on_progress: Callable[[Progress], None],
    clock: Callable[[], float],
) -> tuple[Run, bytes]:
    """The run and its weights as safetensors; steps and tokens are counted here. `clock` is monotonic, in seconds."""
    started = clock()
    stage = stage_of(profile, order.key.stage)
    watch = LiveWatch(profile.watch, order.key.stage, steps=stage.steps, baseline=order.baseline)
    training = _Training(profile, task, order, watch=watch, on_progress=on_progress, clock=clock)
    patience_s = profile.watch.stall_s
    async with conversation(parent, patience_s) as scorer, conversation(parent, patience_s) as blind:
        for talk in (scorer, blind):
            await talk.say(score_job(profile, task, order))  # they build the model while another child trains
        trained = await training.run(parent)
        scored = Scored(trained.outcome, None, 0.0)
        if trained.weights:
            judged = Scoring(profile, task, order, trained.weights)
            scored = await judged.score(scorer)
            if scored.score is not None:
                scored = await judged.confirm(blind, scored)
    steps = len(watch.losses)
    run = Run(
        key=order.key,
        outcome=scored.outcome,
        losses=tuple(float(f"{loss:.6g}") for loss in watch.losses),
        score=scored.score,
        would_stop=training.would_stop,
        auxiliary=trained.auxiliary,
        steps=steps,
        tokens=steps * training.tokens_per_step,
        parameters=sum(array.size for array in trained.weights.values()),
        mlp_width=order.mlp_width,
        cpu_s=trained.cpu_s,
        score_cpu_s=scored.cpu_s,
        wall_s=clock() - started,
        peak_mib=trained.peak_mib,
    )
    return run, save(dict(trained.weights)) if scored.score is not None else b""


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
        watch: LiveWatch,
        on_progress: Callable[[Progress], None],
        clock: Callable[[], float],
    ) -> None:
        self._profile = profile
        self._stage = stage_of(profile, order.key.stage)
        self._task = task
        self._order = order
        self._watch = watch
        self._on_progress = on_progress
        self._clock = clock
        self._auxiliary = 0.0
        self._peak_mib = 0.0
        self.tokens_per_step = 0
        self.would_stop: StoppedEarly | None = None
        """The first early stop that was let through."""

    async def run(self, parent: WarmParentHandle) -> Trained:
        """Stream batches, watch, take the weights; whatever goes wrong with the child is its outcome."""
        weights: Arrays = {}
        async with conversation(parent, self._profile.watch.stall_s) as talk:
            try:
                outcome, weights = await self._dialogue(talk)
            except Stalled:
                outcome = self._watch.stalled()
            except ChildFailed as failure:
                outcome = self._crash(failure.reason, failure.log)
            cpu_s = talk.cpu_s
            if weights:
                talk.dismiss()
        return Trained(outcome, weights, self._auxiliary, cpu_s, self._peak_mib)

    async def _dialogue(self, talk: Conversation) -> tuple[Outcome, Arrays]:
        await talk.say(self._job())
        for step in range(min(_AHEAD, self._stage.steps)):
            await self._send_batch(talk, step)
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
        message, weights = await talk.hear(self._profile.watch.stall_s, _MAX_WEIGHTS)
        if not isinstance(message, Weights):
            raise ChildFailed("the process sent something else than its weights")
        if complaint := complaint_about(weights, vocabulary=self._task.vocabulary, width=self._profile.model.width):
            raise ChildFailed(f"the process sent weights that can't be used: {complaint}")
        self._peak_mib = message.peak_mib
        return Measured(), weights

    def _take(self, step: int, report: StepReport, elapsed_s: float, pid: int) -> Outcome | None:
        """CPU time is the kernel's count where it can be read: the child's own clock may have been tampered with."""
        if math.isfinite(report.auxiliary):
            self._auxiliary = max(self._auxiliary, abs(report.auxiliary))
        counted = processes.cpu_s(pid)
        outcome = self._watch.step(report.loss, report.cpu_s if counted is None else counted)
        tokens_per_s = (step + 1) * self.tokens_per_step / max(elapsed_s, 1e-9)
        self._on_progress(Progress(step + 1, self._stage.steps, report.loss, tokens_per_s))
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

    def _job(self) -> TrainJob:
        return TrainJob(
            source=self._order.source,
            adapter=self._order.adapter,
            model=self._profile.model,
            vocabulary=self._task.vocabulary,
            mlp_width=self._order.mlp_width,
            optimizer=self._stage.optimizer,
            steps=self._stage.steps,
            seed=self._order.key.seed,
            device=self._profile.device,
            precision=self._profile.precision,
        )

    def _crash(self, reason: str, log: str) -> Crashed:
        return Crashed(stage=self._order.key.stage, reason=reason, log=log)


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


class Scoring:
    """The trusted side of scoring one run: all rows by one scorer, then some positions by a second, blind one."""

    def __init__(self, profile: Profile, task: Task, order: RunOrder, weights: Arrays) -> None:
        self._profile = profile
        self._order = order
        self._weights = weights
        self._batch = task.held_out(order.key.split)
        self._referee = Referee(weights, self._batch, task.groups)

    async def score(self, talk: Conversation) -> Scored:
        """All held-out rows; the referee computes in another thread, so that nobody waits for it."""
        score = None

        async def work() -> Outcome:
            nonlocal score
            score = await self._refereed(talk)
            return Measured()

        outcome = await self._guarded(talk, work)
        return Scored(outcome, score, talk.cpu_s)

    async def confirm(self, talk: Conversation, scored: Scored) -> Scored:
        """The same score with what the blind scorer made of it; without a score where it found a leak."""
        answers: list[Answer] = []

        async def work() -> Outcome:
            answers.extend(await self._asked(talk))
            return Measured()

        outcome = await self._guarded(talk, work)
        cpu_s = scored.cpu_s + talk.cpu_s
        if scored.score is None or not answers:
            return Scored(outcome, None, cpu_s)
        found = finding(self._order.key.stage, answers, self._profile.blind)
        if isinstance(found, Leaking):
            return Scored(found, None, cpu_s)
        return Scored(Measured(), scored.score.model_copy(update={"blind": found}), cpu_s)

    async def _guarded(self, talk: Conversation, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Whatever goes wrong with the child is the outcome."""
        stage, limit = self._order.key.stage, self._profile.watch.stall_s
        try:
            await talk.say(Load(), self._weights)
            outcome = await work()
        except Stalled:
            return TimedOut(stage=stage, step=0, used_s=limit, limit_s=limit)
        except ChildFailed as failure:
            return Crashed(stage=stage, reason=f"scoring: {failure.reason}", log=failure.log)
        except BadHidden as bad:
            return Crashed(stage=stage, reason=f"scoring: {bad}")
        talk.dismiss()
        return outcome

    async def _refereed(self, talk: Conversation) -> StageScore:
        """Batch by batch; the scorer has the next one already while the referee computes."""
        inputs = self._batch.inputs
        rows = scored_rows(inputs.shape[1])
        pieces = [inputs[start : start + rows] for start in range(0, len(inputs), rows)]
        async for hidden in self._hidden(talk, pieces):
            await asyncio.to_thread(self._referee.take, hidden)
        return self._referee.result(self._order.key.split)

    async def _asked(self, talk: Conversation) -> list[Answer]:
        """Rows with others' futures in batches of the usual size, then a few rows that end at their position."""
        key, spec, losses = self._order.key, self._profile.blind, self._referee.losses
        rng = generator(key.sha, key.protocol, key.stage.value, key.seed, key.split.value)
        count = min(wanted(spec, key.split), len(losses))
        asked = questions(losses, self._batch, count=count, rng=rng)
        rows = scored_rows(losses.shape[1])
        groups = [asked[start : start + rows] for start in range(0, len(asked), rows)]
        pieces = [disguised(self._batch, group) for group in groups]
        short = [asked[int(place)] for place in rng.permutation(len(asked))[: spec.prefixes]]
        groups += [[question] for question in short]
        pieces += [self._batch.inputs[q.row : q.row + 1, : q.position + 1] for q in short]
        answers: list[Answer] = []
        async for hidden in self._hidden(talk, pieces):
            group = groups.pop(0)
            states = np.stack([hidden[place, question.position] for place, question in enumerate(group)])
            targets = np.array([self._batch.targets[question.row, question.position] for question in group])
            for question, loss in zip(group, self._referee.loss_at(states, targets), strict=True):
                answers.append(Answer(question, float(losses[question.row, question.position]), float(loss)))
        return answers

    def _hidden(self, talk: Conversation, pieces: Sequence[NDArray[np.int32]]) -> AsyncIterator[NDArray[Any]]:
        return hidden_states(talk, pieces, width=self._profile.model.width, patience_s=self._profile.watch.stall_s)
