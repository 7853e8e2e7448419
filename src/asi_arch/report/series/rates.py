"""How many proposals fail, in the course of a campaign, and where the time went."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import Digest, Line
from asi_arch.report.series.batches import batches
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.stats.proportions import wilson

KINDS = {
    "rejected": "rejected by a check",
    "crashed": "crashed, diverged or timed out",
    "cheating": "too good to be true, or reads ahead",
    "stopped_early": "stopped early",
    "repaired": "repaired at least once",
    "saved": "repaired, then measured",
}
"""What is counted, in words. The first four are ends, of which a proposal has at most one; the last two are not."""


class Rate(NamedTuple):
    """Of one batch of proposals."""

    kind: str
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.count is never called
    share: Interval
    """95%, Wilson."""


class BatchRates(NamedTuple):
    """All rates of the proposals with the numbers from `first` to `last`."""

    first: int
    last: int
    proposals: int
    rates: tuple[Rate, ...]
    """In the order of `KINDS`."""

    def of(self, kind: str) -> Rate:
        """One of them."""
        return next(rate for rate in self.rates if rate.kind == kind)


class Times(NamedTuple):
    """Seconds of wall time of experiments, added up; experiments that run side by side count each."""

    propose_s: float
    check_s: float
    train_s: float
    score_s: float
    wait_s: float
    """The rest: waiting for a free worker or a mind, judging, analysis, and the attempts before a repair."""

    @property
    def total_s(self) -> float:
        """Of all uses."""
        return sum(self)


class BatchTimes(NamedTuple):
    """Of the experiments with the numbers from `first` to `last`, baselines included."""

    first: int
    last: int
    experiments: int
    times: Times


class Course(NamedTuple):
    """Rates and times by batch, with those of the whole campaign."""

    rates: tuple[BatchRates, ...]
    whole: BatchRates | None
    times: tuple[BatchTimes, ...]
    total: Times | None
    """None where no wall time is on record."""
    missing: str
    """Why there is nothing; empty where there is."""


def course(campaign: Digest) -> Course:
    """Of a whole campaign; of an imported one where it holds something that failed."""
    if campaign.is_imported and campaign.outcomes["measured"] == len(campaign.lines):
        return Course((), None, (), None, f"what failed and what it cost is {NOT_IMPORTED}")
    candidates = campaign.candidates
    timed = [line for line in campaign.lines if line.cost.wall_s + line.cost.propose_s > 0]
    first, last = (candidates[0].summary.index, candidates[-1].summary.index) if candidates else (0, 0)
    rates = tuple(_rates(b.first, b.last, b.lines) for b in batches(campaign, candidates))
    times = tuple(BatchTimes(b.first, b.last, len(b.lines), _times(b.lines)) for b in batches(campaign, timed))
    return Course(
        rates=rates,
        whole=_whole(first, last, rates) if rates else None,
        times=times,
        total=_added([batch.times for batch in times]) if times else None,
        missing="" if campaign.lines else "no experiment is finished yet",
    )


_IS: dict[str, Callable[[Line], bool]] = {
    "rejected": lambda line: line.summary.outcome == "rejected",
    "crashed": lambda line: line.summary.outcome in ("crashed", "diverged", "timed_out"),
    "cheating": lambda line: line.summary.outcome in ("suspicious", "leaking"),
    "stopped_early": lambda line: line.summary.outcome == "stopped_early",
    "repaired": lambda line: line.repairs > 0,
    "saved": lambda line: line.repairs > 0 and line.summary.is_measured,
}


def _rates(first: int, last: int, lines: Sequence[Line]) -> BatchRates:
    counts = {kind: sum(map(_IS[kind], lines)) for kind in KINDS}
    return BatchRates(first, last, len(lines), _shares(counts, len(lines)))


def _whole(first: int, last: int, found: Sequence[BatchRates]) -> BatchRates:
    proposals = sum(batch.proposals for batch in found)
    counts = {kind: sum(batch.of(kind).count for batch in found) for kind in KINDS}
    return BatchRates(first, last, proposals, _shares(counts, proposals))


def _shares(counts: Mapping[str, int], proposals: int) -> tuple[Rate, ...]:
    return tuple(Rate(kind, count, wilson(count, proposals)) for kind, count in counts.items())


def _times(lines: Sequence[Line]) -> Times:
    return _added([_time(line) for line in lines])


def _added(parts: Sequence[Times]) -> Times:
    return Times(*(sum(values) for values in zip(*parts, strict=True)))


def _time(line: Line) -> Times:
    """What is not left over is split by CPU time, as seeds are trained side by side."""
    cost, wait = line.cost, min(line.unexplained_s or 0.0, line.cost.wall_s)
    busy = cost.wall_s - wait
    scale = busy / cost.cpu_s if cost.cpu_s > 0 else 0.0
    if cost.cpu_s <= 0:
        wait = cost.wall_s
    return Times(cost.propose_s, cost.check_cpu_s * scale, cost.train_cpu_s * scale, cost.score_cpu_s * scale, wait)
