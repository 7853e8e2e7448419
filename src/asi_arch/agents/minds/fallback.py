"""What happens when the model is away: another researcher takes over for that one proposal."""

from collections.abc import Callable
from random import Random

from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import MindError
from asi_arch.domain.ports import Brief, Researcher


class Relieved:
    """A `Researcher` that asks `first`, and `second` where that one has nothing usable.

    `say` is told each time, so that nobody takes the second's ideas for the first's.
    """

    def __init__(self, first: Researcher, second: Researcher, say: Callable[[str], None]) -> None:
        self._first = first
        self._second = second
        self._say = say

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """The next proposal comes from `first` again, if it can."""
        try:
            return await self._first.propose(brief, rng)
        except MindError as error:
            self._say(f"#{brief.experiment}: {error}; the composer takes over for this one")
            return await self._second.propose(brief, rng)
