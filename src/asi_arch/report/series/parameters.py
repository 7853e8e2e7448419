"""Counts of parameters in the course of a campaign (the paper's Figure 8), to see whether quality is bought with size.

In a campaign of this program's own all models are made equally large by the width of their MLP, within the profile's
tolerance: there the mixer's share of the parameters is what can grow. Imported counts are those of whole models.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from asi_arch.report.digest import Digest, Line
from asi_arch.report.series.batches import batches
from asi_arch.report.standing import NOT_IMPORTED


class Spread(NamedTuple):
    """Quantiles of the counts in one batch of designs."""

    first: int
    last: int
    designs: int
    """With a count."""
    low: float
    """The smallest."""
    quarter: float
    median: float
    three_quarters: float
    high: float
    """The largest."""


class Sized(NamedTuple):
    """One design."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    parameters: int
    fitness: float | None
    """In an imported campaign the score as published."""


class Parameters(NamedTuple):
    """Over the whole campaign; baselines are left out of the spreads."""

    of: str
    """What is counted: 'one mixer' or 'the whole model, as published'."""
    spreads: tuple[Spread, ...]
    designs: tuple[Sized, ...]
    models: tuple[int, int] | None
    """Smallest and largest whole model, of a campaign of our own."""
    tolerance: float | None
    """By how much of the reference's count a whole model may differ, of a campaign of our own."""
    correlation: float | None
    """Spearman's between count and fitness; None for fewer than three designs with both, or where all are equal."""
    missing: str
    """Why there is nothing; empty where there is."""


def parameters(campaign: Digest) -> Parameters:
    """Of the candidates that have a count."""
    is_own = not campaign.is_imported
    count = _mixer if is_own else _published
    designs = tuple(
        Sized(line.summary.index, number, line.summary.fitness)
        for line in campaign.candidates
        if (number := count(line)) is not None
    )
    whole = [line.model_parameters for line in campaign.lines if line.model_parameters] if is_own else []
    reason = "no candidate has passed its checks yet" if is_own else f"the number of parameters is {NOT_IMPORTED}"
    return Parameters(
        of="one mixer" if is_own else "the whole model, as published",
        spreads=_spreads(campaign, count),
        designs=designs,
        models=(min(whole), max(whole)) if whole else None,
        tolerance=campaign.campaign.profile.checks.parameter_tolerance if is_own else None,
        correlation=_correlation([(x.parameters, x.fitness) for x in designs if x.fitness is not None]),
        missing="" if designs else reason,
    )


def _mixer(line: Line) -> int | None:
    return line.mixer_parameters


def _published(line: Line) -> int | None:
    return line.published.parameters if line.published else None


def _spreads(campaign: Digest, count: Callable[[Line], int | None]) -> tuple[Spread, ...]:
    counted = [line for line in campaign.candidates if count(line) is not None]
    found: list[Spread] = []
    for batch in batches(campaign, counted):
        values = sorted(number for line in batch.lines if (number := count(line)) is not None)
        found.append(Spread(batch.first, batch.last, len(values), *(_quantile(values, i / 4) for i in range(5))))
    return tuple(found)


def _quantile(values: Sequence[int], share: float) -> float:
    """Of sorted values, linear between neighbours."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's of the ranks, ties sharing their mean rank."""
    if len(pairs) < 3:
        return None
    xs, ys = _ranks([x for x, _ in pairs]), _ranks([y for _, y in pairs])
    middle = (len(pairs) + 1) / 2
    product = sum((x - middle) * (y - middle) for x, y in zip(xs, ys, strict=True))
    squares = sum((x - middle) ** 2 for x in xs) * sum((y - middle) ** 2 for y in ys)
    return product / squares**0.5 if squares > 0 else None


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda i: values[i])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in range(start, end + 1):
            ranks[order[place]] = (start + end) / 2 + 1
        start = end + 1
    return ranks
