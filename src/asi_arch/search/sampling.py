"""Whose child the next experiment is, so that the answer never depends on who finished first."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from asi_arch.domain.experiment import Summary
from asi_arch.domain.profile import Policy, SearchSpec


class Choice(NamedTuple):
    """The experiment to modify (None asks for a design from nothing) and those shown as examples."""

    parent: int | None
    references: tuple[int, ...]


class Schedule:
    """Which index is what, and what each index may see.

    Baselines take turns with inventions: 0 is the reference baseline, 1 an invention, 2 the second baseline, 3 an
    invention, and so on until all baselines are placed.
    """

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec

    def baseline_at(self, index: int) -> str | None:
        """The baseline whose turn it is; None for an invention."""
        turn, is_invention = divmod(index, 2)
        return None if is_invention or turn >= len(self._spec.baselines) else self._spec.baselines[turn]

    def baselines_below(self, index: int) -> dict[int, str]:
        """The baselines with a lower index, by index."""
        return {2 * turn: name for turn, name in enumerate(self._spec.baselines) if 2 * turn < index}

    def is_cold(self, index: int) -> bool:
        """Whether the pool is still closed, so that parents are baselines."""
        return index < self._spec.cold_start

    def snapshot(self, index: int) -> int:
        """Experiment `index` sees the results of those with a number below this one, and no others.

        0 during the cold start, when nothing but the baselines' code is looked at. Afterwards it moves up after every
        `update_every` experiments.
        """
        if self.is_cold(index):
            return 0
        start, every = self._spec.cold_start, self._spec.update_every
        return start + (index - start) // every * every


class Sampler:
    """Chooses parent and references by rank (1-based, best first) with the campaign's policy.

    * evolution: the parent at random from `parent_ranks`, references from `reference_ranks`, without replacement.
    * greedy: the parent is rank 1, references as above.
    * random: neither, whatever the pool holds.

    A pool smaller than the ranks asks for: parents come from the ranks that exist, the last one if none of them does;
    references that `reference_ranks` can't fill come from the other ranks. The parent is never its own reference. In
    the cold start, and where nothing has a fitness, parent and references are drawn from the baselines.
    """

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec
        self._schedule = Schedule(spec)

    def choose(self, index: int, pool: Sequence[Summary], baselines: Sequence[int], rng: Random) -> Choice:
        """`pool` is the snapshot's, best first; `baselines` the indices of those that may be parents."""
        if self._spec.policy is Policy.RANDOM:
            return Choice(None, ())
        ranked = [summary.index for summary in pool if summary.fitness is not None]
        if self._schedule.is_cold(index) or not ranked:
            return self._from_baselines([i for i in baselines if i < index], rng)
        return self._from_pool(ranked, rng)

    def _from_baselines(self, baselines: Sequence[int], rng: Random) -> Choice:
        if not baselines:
            return Choice(None, ())
        parent = rng.choice(baselines)
        others = [i for i in baselines if i != parent]
        return Choice(parent, tuple(rng.sample(others, min(self._spec.references, len(others)))))

    def _from_pool(self, ranked: Sequence[int], rng: Random) -> Choice:
        if self._spec.policy is Policy.GREEDY:
            parent = ranked[0]
        else:
            parent = rng.choice(_ranks(ranked, self._spec.parent_ranks) or ranked[-1:])
        inside = [i for i in _ranks(ranked, self._spec.reference_ranks) if i != parent]
        outside = [i for i in ranked if i != parent and i not in inside]
        drawn = rng.sample(inside, min(self._spec.references, len(inside)))
        drawn += rng.sample(outside, min(self._spec.references - len(drawn), len(outside)))
        return Choice(parent, tuple(drawn))


def _ranks(ranked: Sequence[int], bounds: tuple[int, int]) -> Sequence[int]:
    first, last = bounds
    return ranked[first - 1 : last]
