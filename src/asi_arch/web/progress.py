"""Is it getting better? Every experiment of a campaign in one chart, drawn fast for ten thousand."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.report.words import number
from asi_arch.web.charts import Axes, Point, Rule, Series, chart

_POINTED = 200
"""Of one kind of dots, so many can be pointed at and followed: the newest. The others are a picture only."""


class Quantity(NamedTuple):
    """What is shown of an experiment that has it."""

    value: Callable[[Summary], float]
    words: Callable[[Summary], str]
    is_lower_better: bool

    def point(self, summary: Summary) -> Point:
        """With its words and the way to its page."""
        words = f"#{summary.index} {summary.name}: {self.words(summary)}"
        return Point(summary.index, self.value(summary), words, f"/experiments/{summary.index}")


def _loss(summary: Summary) -> float:
    return summary.language_loss or 0.0


def _loss_words(summary: Summary) -> str:
    return f"{number(summary.language_loss)} nats, recall {number(summary.recall_accuracy)}"


def _score(summary: Summary) -> float:
    return summary.fitness or 0.0


def _score_words(summary: Summary) -> str:
    return number(summary.fitness)


_LOSS = Quantity(_loss, _loss_words, is_lower_better=True)
_SCORE = Quantity(_score, _score_words, is_lower_better=False)


def progress_chart(campaign: Campaign, lineage: Lineage) -> Markup:
    """Language loss by experiment, the lowest so far among those with a fitness, and the baselines.

    Of an imported campaign the scores, and the best so far.
    """
    if campaign.origin is not None:
        scored = [s for s in lineage.nodes.values() if s.fitness is not None]
        series = [_dots("score", scored, _SCORE, "a", "dots"), _best("best so far", scored, _SCORE)]
        return chart(Axes("Score of every experiment", "experiment", "score"), series)
    measured = [s for s in lineage.nodes.values() if s.language_loss is not None]
    invented = [s for s in measured if s.author is not Author.BASELINE]
    fit = [s for s in invented if s.fitness is not None]
    baselines = [s for s in measured if s.author is Author.BASELINE]
    shown = sorted(_loss(s) for s in [*fit, *baselines]) or [0.0]
    room = 0.15 * (shown[-1] - shown[0]) or 0.1
    return chart(
        Axes("Language loss of every experiment", "experiment", "nats", y_range=(shown[0] - room, shown[-1] + room)),
        [
            _dots("without a fitness", [s for s in invented if s.fitness is None], _LOSS, "quiet", "rings"),
            _dots("with a fitness", fit, _LOSS, "a", "dots"),
            _best("lowest so far", fit, _LOSS),
        ],
        [Rule(_loss(s), s.name, tone) for s, tone in zip(baselines, "bcdefgh", strict=False)],
    )


def _dots(
    name: str, summaries: Sequence[Summary], quantity: Quantity, tone: str, kind: Literal["dots", "rings"]
) -> Series:
    """All of them, the newest with their words. Many rings would hide each other, so they become dots."""
    silent = max(len(summaries) - _POINTED, 0)
    points = [Point(s.index, quantity.value(s)) for s in summaries[:silent]]
    points += [quantity.point(s) for s in summaries[silent:]]
    if silent:
        return Series(f"{name} (in full colour: the newest, to click on)", points, tone, "dots")
    return Series(name, points, tone, kind)


def _best(name: str, summaries: Sequence[Summary], quantity: Quantity) -> Series:
    """Those that are better than all before, with their words, and the level to the end."""
    sign = 1.0 if quantity.is_lower_better else -1.0
    found: list[Summary] = []
    for summary in summaries:
        if not found or sign * quantity.value(summary) < sign * quantity.value(found[-1]):
            found.append(summary)
    points = [quantity.point(summary) for summary in found]
    end = [Point(summaries[-1].index, points[-1].y)] if points else []
    return Series(name, [*points, *end], "a", "steps")
