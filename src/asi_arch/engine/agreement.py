"""The seeds of one stage decide together, rung by rung, whether an early stop stands.

One seed alone is wrong too often: a candidate that was far behind at 40% on one seed ended level. So a stop stands
only when all seeds ask for it at the same rung. Who asks waits for the others; who does not ask goes on at once. The
decision depends on the losses only, not on which seed is faster.
"""

import asyncio
from collections.abc import Sequence

from asi_arch.domain.outcome import Measured, Run, StoppedEarly
from asi_arch.domain.ports import Ballot, Ruling


class Agreement:
    """Votes of one candidate's seeds in one stage. `is_audited` lets what all agree on pass, to measure the rule."""

    def __init__(self, seeds: Sequence[int], *, is_audited: bool) -> None:
        self._seeds = seeds
        self._is_audited = is_audited
        self._votes: dict[tuple[int, int], bool] = {}
        self._ended: dict[int, Run | None] = {}
        self._news = asyncio.Condition()

    def ballot(self, seed: int) -> Ballot:
        """What the training of this seed asks at every rung."""

        async def vote(step: int, stop: StoppedEarly | None) -> Ruling:
            async with self._news:
                self._votes[seed, step] = stop is not None
                self._news.notify_all()
                if stop is not None:
                    await self._news.wait_for(lambda: self._is_decided(step))
            return self._ruling(step)

        return vote

    async def end(self, seed: int, run: Run | None) -> None:
        """Hear that this seed will vote no more; None when it could not be run at all."""
        async with self._news:
            self._ended[seed] = run
            self._news.notify_all()

    def _ruling(self, step: int) -> Ruling:
        if not all(self._vote(seed, step) for seed in self._seeds):
            return Ruling.GO_ON
        return Ruling.LET_THROUGH if self._is_audited else Ruling.STOP

    def _is_decided(self, step: int) -> bool:
        votes = [self._vote(seed, step) for seed in self._seeds]
        return False in votes or None not in votes

    def _vote(self, seed: int, step: int) -> bool | None:
        """Whether this seed asks for a stop here; None as long as that is open."""
        if (seed, step) in self._votes:
            return self._votes[seed, step]
        return _would_have_voted(self._ended[seed], step) if seed in self._ended else None


def _would_have_voted(run: Run | None, step: int) -> bool:
    """The vote of a seed whose run is over, maybe in an earlier session. One that failed before does not object."""
    if run is None:
        return True
    stop = run.outcome if isinstance(run.outcome, StoppedEarly) else run.would_stop
    if stop is not None and stop.step == step:
        return True
    return not isinstance(run.outcome, Measured) and run.steps <= step
