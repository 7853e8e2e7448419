"""Charts of what failed in the course of a campaign, and of where the time went."""

from typing import Any, NamedTuple

from markupsafe import Markup

from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import Digest
from asi_arch.report.series.rates import KINDS, BatchRates, Course, Rate, Times, course
from asi_arch.report.words import duration
from asi_arch.web.bars import Part, Stack, stacked, whole
from asi_arch.web.charts import Axes, Point, Series, chart

USES = {"propose": "d", "check": "e", "train": "a", "score": "c", "wait": "quiet"}
"""What time goes to, with its tone, in the order of `Times`."""
_TONES = {"rejected": "b", "crashed": "bad", "cheating": "d", "stopped_early": "f", "repaired": "e", "saved": "c"}


class Use(NamedTuple):
    """What one kind of work took."""

    name: str
    tone: str
    total: str
    share: float


def course_content(campaign: Digest) -> dict[str, Any]:
    """What the template needs: 'rates', 'never', 'times', 'uses', 'bar' and 'missing'."""
    found = course(campaign)
    known = found.whole.rates if found.whole else ()
    return {
        "course_missing": found.missing,
        "rates": [_rate_chart(found, rate) for rate in known if rate.count],
        "never": [KINDS[rate.kind] for rate in known if not rate.count],
        "proposals": found.whole.proposals if found.whole else 0,
        "uses": _uses(found.total) if found.total else [],
        "times": _time_chart(found) if found.total else None,
        "time_bar": _time_bar(found.total) if found.total else None,
    }


def share_words(share: Interval) -> str:
    """'23% [13, 36]'."""
    return f"{share.estimate:.0%} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _rate_chart(found: Course, rate: Rate) -> Markup:
    """One kind of failure by batch; all have the same height, so that they can be compared."""
    shown = [(batch, batch.of(rate.kind).share) for batch in found.rates]
    top = max(batch.of(kind).share.high for batch in found.rates for kind in KINDS)
    series = Series(
        KINDS[rate.kind],
        [Point((b.first + b.last) / 2, 100 * share.estimate, _rate_words(b, rate.kind)) for b, share in shown],
        _TONES[rate.kind],
        low=[100 * share.low for _, share in shown],
        high=[100 * share.high for _, share in shown],
    )
    title = f"{KINDS[rate.kind][0].upper()}{KINDS[rate.kind][1:]}: {rate.count:,}, {share_words(rate.share)}"
    return chart(Axes(title, "experiment", "% of proposals", y_range=(0.0, 100 * top), is_small=True), [series])


def _rate_words(batch: BatchRates, kind: str) -> str:
    rate = batch.of(kind)
    return f"#{batch.first} to #{batch.last}: {rate.count} of {batch.proposals}, {share_words(rate.share)}"


def _uses(total: Times) -> list[Use]:
    return [
        Use(name, tone, duration(seconds), seconds / total.total_s)
        for (name, tone), seconds in zip(USES.items(), total, strict=True)
    ]


def _parts() -> list[Part]:
    return [Part(name, tone) for name, tone in USES.items()]


def _time_bar(total: Times) -> Markup:
    return whole(_parts(), [seconds / total.total_s for seconds in total])


def _time_chart(found: Course) -> Markup:
    means = [[seconds / batch.experiments for seconds in batch.times] for batch in found.times]
    unit, scale = ("minutes", 60.0) if max(map(sum, means)) > 300 else ("seconds", 1.0)
    stacks = [
        Stack(
            batch.first,
            batch.last,
            [value / scale for value in values],
            [
                f"#{batch.first} to #{batch.last}, {name}: {duration(value)} each"
                for name, value in zip(USES, values, strict=True)
            ],
        )
        for batch, values in zip(found.times, means, strict=True)
    ]
    axes = Axes("Mean time of an experiment", "experiment", f"{unit} of wall time")
    return stacked(axes, _parts(), stacks)
