"""The trusted side of scoring one run: what its scorers answer, and what becomes of that."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.outcome import Crashed, Leaking, Measured, Outcome, StageScore, TimedOut
from asi_arch.domain.ports import RunOrder, Task
from asi_arch.domain.profile import Profile
from asi_arch.lab.blind import Answer, disguised, finding, generator, questions, wanted
from asi_arch.lab.checks.setting import scored_rows
from asi_arch.lab.contract import Arrays, Load
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled
from asi_arch.lab.hidden_states import hidden_states
from asi_arch.lab.referee import BadHidden, Referee


class Scored(NamedTuple):
    """What a scorer left."""

    outcome: Outcome
    score: StageScore | None
    cpu_s: float
    """Of the scorers, from their start."""


class Scoring:
    """The trusted side of scoring one run: all rows by one scorer, then some positions by a second, blind one."""

    def __init__(self, profile: Profile, task: Task, order: RunOrder, weights: Arrays) -> None:
        self._profile = profile
        self._order = order
        self._weights = weights
        self._batch = task.held_out(order.key.split)
        self._referee = Referee(weights, self._batch, task.groups)
        self._unloaded: dict[Conversation, BaseException] = {}

    @property
    def losses(self) -> NDArray[np.float32]:
        """[R, T] in nats at the held-out positions, once they are scored."""
        return self._referee.losses.astype(np.float32)

    async def hand_over(self, *talks: Conversation) -> None:
        """The weights to all scorers at once; what goes wrong is the outcome of the one that it went wrong with."""
        saying = [talk.say(Load(), self._weights) for talk in talks]
        for talk, failure in zip(talks, await asyncio.gather(*saying, return_exceptions=True), strict=True):
            if failure is not None:
                self._unloaded[talk] = failure

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
            if talk in self._unloaded:
                raise self._unloaded[talk]
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
        asked = questions(losses, self._batch, count=count, rng=rng, baseline=self._compared_with(losses))
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

    def _compared_with(self, losses: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """The baseline's losses, if they are of the same rows."""
        baseline = self._order.baseline_losses
        return baseline if baseline is not None and baseline.shape == losses.shape else None

    def _hidden(self, talk: Conversation, pieces: Sequence[NDArray[np.int32]]) -> AsyncIterator[NDArray[Any]]:
        return hidden_states(talk, pieces, width=self._profile.model.width, patience_s=self._profile.watch.stall_s)
