"""Discoveries against compute (the paper's Figure 1), and what may be concluded from a straight line.

A lead is a measured candidate that beats the reference in both numbers, language loss and recall accuracy, as the
search measured them. A promoted one was borne out by `verify`. Only the second is a claim.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import Digest, Line
from asi_arch.report.findings import promoted_shas
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.stats.paired import Noise, screening_margin
from asi_arch.stats.scaling import LinearFit, PowerLaw, linear_fit, poisson_rate, power_law, rate_trend

_BY_LUCK = 0.25
"""Chance that a copy of the reference beats it in both numbers: one in two for each, in trainings of their own."""
_TREND = 1.96
"""Beyond it a constant rate is refused at 5%."""


class Find(NamedTuple):
    """One lead or promoted design."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    name: str
    spent: float
    """Compute of the whole campaign up to its end, in `Discoveries.unit`."""
    is_clear: bool
    """Whether both numbers differ by more than the seeds' noise explains (95%)."""


class Discoveries(NamedTuple):
    """Running totals with what can be said of them."""

    unit: str
    """'CPU hours', 'hours' (wall time, on a GPU) or 'experiments' (where no compute is on record)."""
    criterion: str
    """What a lead is, in words."""
    total: float
    """Compute of the whole campaign."""
    candidates: int
    """That could have been leads: measured, or with a published score."""
    leads: tuple[Find, ...]
    """By what was spent."""
    promoted: tuple[Find, ...]
    fit: LinearFit | None
    """Of the number of leads on compute, from one point for each."""
    law: PowerLaw | None
    """number = factor * compute^exponent: an exponent of 1 is proportional, below 1 there are diminishing returns."""
    rate: Interval | None
    """Leads for each unit of compute, with the exact interval of a constant rate."""
    trend: float | None
    """Laplace's z: beyond +-1.96 the rate was not constant; positive where it rose."""
    by_chance: float | None
    """Leads to expect if all measured candidates were exactly as good as the reference; None for imported ones."""
    missing: str
    """Why there is nothing; empty where there is."""


def discoveries(campaign: Digest) -> Discoveries:
    """Of a whole campaign. Verification's own trainings are not in the compute, which is the search's."""
    unit, cost = _compute(campaign)
    order = sorted(campaign.lines, key=lambda line: (line.finished_at, line.summary.index))
    spent: dict[int, float] = {}
    total = 0.0
    for line in order:
        total += cost(line)
        spent[line.summary.index] = total
    judge, criterion, candidates, missing = _judge(campaign)
    leads = tuple(_find(line, spent, clear) for line, clear in _leads(order, judge))
    known = promoted_shas(campaign)
    promoted = tuple(_find(line, spent, True) for line in order if line.summary.sha in known and not line.is_baseline)
    numbers, xs = range(1, len(leads) + 1), [find.spent for find in leads]
    return Discoveries(
        unit=unit,
        criterion=criterion,
        total=total,
        candidates=candidates,
        leads=leads,
        promoted=promoted,
        fit=linear_fit(xs, list(numbers)),
        law=power_law(xs, list(numbers)),
        rate=poisson_rate(len(leads), total) if total > 0 and not missing else None,
        trend=rate_trend(xs, total),
        by_chance=None if missing or campaign.is_imported else _BY_LUCK * candidates,
        missing=missing,
    )


def remarks(found: Discoveries) -> tuple[str, ...]:
    """What the figure shows and what it does not, in sentences."""
    if found.missing:
        return (f"No discoveries can be counted: {found.missing}.",)
    told = [f"A lead is {found.criterion}: a reason to look again, not a claim."]
    if found.by_chance is not None:
        told.append(
            f"Of {found.candidates:,} candidates that were measured, {len(found.leads):,} are leads; if all were"
            f" exactly as good as the reference, luck alone would make a quarter of them leads, about"
            f" {found.by_chance:.0f}. {sum(find.is_clear for find in found.leads):,} differ in both numbers by more"
            " than the seeds' noise."
        )
    if found.fit is not None:
        told.append(
            "A straight line means a constant rate of finds. It does not say that later finds are better, and screening"
            " by luck alone would give a straight line, too. Running totals depend on each other, so R² is high and the"
            " interval of the slope too narrow for any steady process."
        )
    if found.trend is not None:
        told.append(_trend_sentence(found.trend))
    return tuple(told)


def _trend_sentence(z: float) -> str:
    shown = f"{z:+.1f}".replace("-", "\u2212")
    if abs(z) < _TREND:
        return f"The rate shows no clear change in the course of the campaign (Laplace's test, z = {shown})."
    way = "rose" if z > 0 else "fell"
    return f"The rate {way} in the course of the campaign (Laplace's test, z = {shown})."


Judge = Callable[[Line], tuple[bool, bool]]
"""Whether a line is a lead, and a clear one."""


class _Ruling(NamedTuple):
    judge: Judge
    criterion: str
    candidates: int
    missing: str


def _judge(campaign: Digest) -> _Ruling:
    return _published(campaign) if campaign.is_imported else _screened(campaign)


def _screened(campaign: Digest) -> _Ruling:
    name = campaign.yardstick.reference
    criterion = f"a candidate with a lower language loss and a higher recall accuracy than {name} in the search"
    reference = campaign.reference
    if reference is None:
        return _Ruling(_never, criterion, 0, f"{name}, the reference, has not been measured yet")
    measured = sum(line.summary.is_measured for line in campaign.candidates)
    loss_margin = _margins(len(reference.language), campaign.language_noise)
    recall_margin = _margins(len(reference.recall), campaign.recall_noise)

    def judge(line: Line) -> tuple[bool, bool]:
        if line.is_baseline or not line.summary.is_measured:
            return False, False
        loss, recall = _gains(line, reference)
        is_lead = loss > 0 and recall > 0
        return is_lead, is_lead and loss > loss_margin(len(line.language)) and recall > recall_margin(len(line.recall))

    return _Ruling(judge, criterion, measured, "" if measured else "no candidate has been measured yet")


def _gains(line: Line, reference: Line) -> tuple[float, float]:
    """In loss and in recall, positive where better; of lines that are measured."""
    losses = (reference.summary.language_loss or math.inf, line.summary.language_loss or math.inf)
    recalls = (reference.summary.recall_accuracy or 0.0, line.summary.recall_accuracy or 0.0)
    return losses[0] - losses[1], recalls[1] - recalls[0]


def _margins(others: int, noise: Noise | None) -> Callable[[int], float]:
    """How much noise explains of a difference to the reference's `others` seeds, by the candidate's number of seeds."""

    @cache
    def margin(seeds: int) -> float:
        return screening_margin(seeds, others, noise) if noise is not None and seeds and others else math.inf

    return margin


def _published(campaign: Digest) -> _Ruling:
    """Of an imported campaign: a score above that of the root from which it descends."""
    roots = [line for line in campaign.lines if line.summary.parent is None and line.summary.fitness is not None]
    criterion = "a design with a published score above that of the root of the tree"
    if not roots:
        return _Ruling(_never, criterion, 0, f"the score of a root is {NOT_IMPORTED}")
    bar = max(line.summary.fitness or 0.0 for line in roots)
    known = {line.summary.index for line in roots}

    def judge(line: Line) -> tuple[bool, bool]:
        score = line.summary.fitness
        return (score is not None and score > bar and line.summary.index not in known), False

    scored = sum(line.summary.fitness is not None for line in campaign.lines) - len(roots)
    return _Ruling(judge, criterion, scored, "" if scored else f"a score of any design is {NOT_IMPORTED}")


def _never(_: Line) -> tuple[bool, bool]:
    return False, False


def _leads(lines: Sequence[Line], judge: Judge) -> Iterator[tuple[Line, bool]]:
    for line in lines:
        is_lead, is_clear = judge(line)
        if is_lead:
            yield line, is_clear


def _find(line: Line, spent: dict[int, float], is_clear: bool) -> Find:
    return Find(line.summary.index, line.summary.name, spent[line.summary.index], is_clear)


def _compute(campaign: Digest) -> tuple[str, Callable[[Line], float]]:
    """The unit, and what one experiment took in it."""
    if campaign.is_imported:
        return "experiments", lambda _: 1.0
    if campaign.campaign.profile.device == "cuda":
        return "hours", lambda line: line.cost.wall_s / 3600
    return "CPU hours", lambda line: line.cost.cpu_s / 3600
