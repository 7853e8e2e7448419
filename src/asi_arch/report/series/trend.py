"""How the pool changed, refresh by refresh (the paper's Figure 6): raw numbers, and the fitness with its parts."""

from collections.abc import Iterable
from typing import NamedTuple

from asi_arch.report.digest import Digest, Line, fittest_at, pools
from asi_arch.report.series.batches import IMPORTED

IMPORTED_POOL = 50
"""Designs of the pool that is made up for an imported campaign, whose own is not on record."""


class PoolPoint(NamedTuple):
    """Means over the pool at one refresh. None where no member has the number."""

    experiments: int
    """Finished at that time: the pool holds the fittest of those with a number below this one."""
    size: int
    language: float | None
    """Held-out loss in nats."""
    recall: float | None
    """Accuracy."""
    fitness: float | None
    """In an imported campaign the score as published."""
    loss_term: float | None
    recall_term: float | None
    judge_term: float | None
    best: float | None
    """Fitness of the fittest."""


def pool_trend(campaign: Digest, *, most: int | None = None) -> tuple[PoolPoint, ...]:
    """At every refresh that the campaign reached; of an imported one for the `IMPORTED_POOL` fittest of every 50.

    With `most`, of more refreshes every second, third or so counted back from the last.
    """
    if campaign.is_imported:
        found = fittest_at(campaign.lines, start=IMPORTED, every=IMPORTED, size=IMPORTED_POOL)
    else:
        found = pools(campaign.lines, campaign.campaign)
    every = 1 if most is None else max(1, -(-len(found) // most))
    return tuple(_point(snapshot, pool) for snapshot, pool in found[::-1][::every][::-1])


def _point(snapshot: int, pool: list[Line]) -> PoolPoint:
    parts = [line.parts for line in pool if line.parts]
    return PoolPoint(
        experiments=snapshot,
        size=len(pool),
        language=_mean(line.summary.language_loss for line in pool),
        recall=_mean(line.summary.recall_accuracy for line in pool),
        fitness=_mean(line.summary.fitness for line in pool),
        loss_term=_mean(part.loss for part in parts),
        recall_term=_mean(part.recall for part in parts),
        judge_term=_mean(part.judge for part in parts),
        best=max((line.summary.fitness for line in pool if line.summary.fitness is not None), default=None),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
