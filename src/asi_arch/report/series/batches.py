"""A campaign in parts of equally many numbers, for what changes in its course."""

from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.report.digest import Digest, Line

SMALLEST, MOST = 10, 40
"""Experiments of a batch, so that a share means something, and batches, so that a figure can be read."""
IMPORTED = 50
"""Of an imported campaign, whose own refreshes are not known."""


class Batch(NamedTuple):
    """Experiments with the numbers from `first` to `last`, both included."""

    first: int
    last: int
    lines: tuple[Line, ...]

    @property
    def middle(self) -> float:
        """Where it is drawn."""
        return (self.first + self.last) / 2


def batch_size(campaign: Digest) -> int:
    """The pool's refresh, or the multiple of it that gives at least `SMALLEST` each and at most `MOST` batches."""
    every = IMPORTED if campaign.is_imported else campaign.campaign.profile.search.update_every
    end = max((line.summary.index for line in campaign.lines), default=0) + 1
    wanted = max(SMALLEST, -(-end // MOST))
    return every * -(-wanted // every)


def batches(campaign: Digest, lines: Sequence[Line]) -> tuple[Batch, ...]:
    """`lines` by `batch_size` blocks of numbers; blocks without any of them are left out, the last one may be short."""
    size = batch_size(campaign)
    blocks: dict[int, list[Line]] = {}
    for line in lines:
        blocks.setdefault(line.summary.index // size, []).append(line)
    end = max((line.summary.index for line in campaign.lines), default=0)
    return tuple(
        Batch(number * size, min(number * size + size - 1, end), tuple(block))
        for number, block in sorted(blocks.items())
    )
