"""The comparison table: the best candidates, those that a missing fitness hides, and all baselines, with intervals.

Its intervals use the seed noise pooled over the table's models, because two seeds say next to nothing about their own
spread. They are for reading: the best of many was chosen by these very numbers. Claims come from `verify`.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.ports import Store
from asi_arch.domain.verdict import Verdict
from asi_arch.report.digest import seed_accuracies, seed_losses
from asi_arch.report.standing import Yardstick, yardstick
from asi_arch.report.words import Reading
from asi_arch.search.sampling import Schedule
from asi_arch.stats.paired import Noise, mean_interval, pooled_noise, screening_difference

EVERYTHING = sys.maxsize
"""Above every index."""
UNSCORED = 5
"""So many of those that a missing fitness hides are shown."""


class Versus(NamedTuple):
    """Candidate minus one baseline, on the campaign's own seeds."""

    baseline: str
    language: Reading | None
    recall: Reading | None


class Row(NamedTuple):
    """One model of the table."""

    summary: Summary
    language: Reading | None
    recall: Reading | None
    against: tuple[Versus, ...]
    """Every measured baseline but itself, in the profile's order."""
    model_parameters: int | None
    verdict: Verdict | None
    """The latest, where it was verified."""
    no_fitness: str
    """Why it has none; empty where it has one."""

    @property
    def is_baseline(self) -> bool:
        """Not invented."""
        return self.summary.author is Author.BASELINE


class Table(NamedTuple):
    """Baselines in the profile's order, candidates best first."""

    baselines: tuple[Row, ...]
    candidates: tuple[Row, ...]
    unscored: tuple[Row, ...]
    """Measured candidates without a fitness, lowest language loss first: what the veto costs must be seen."""
    language_noise: Noise | None
    recall_noise: Noise | None
    seeds: int

    @property
    def rows(self) -> tuple[Row, ...]:
        """Candidates first, without the unscored."""
        return self.candidates + self.baselines


class _Model(NamedTuple):
    """An experiment with its values over seeds."""

    experiment: Experiment
    summary: Summary
    language: tuple[float, ...]
    recall: tuple[float, ...]


class _Frame(NamedTuple):
    """What all rows are compared with."""

    baselines: Sequence[_Model]
    language: Noise | None
    recall: Noise | None
    verdicts: Mapping[str, Verdict]
    """The latest by source."""
    yardstick: Yardstick


def comparison_table(store: Store, number: int = 10, known: Lineage | None = None) -> Table:
    """The `number` fittest candidates, every baseline that was measured, and up to `UNSCORED` without a fitness.

    Reads the summaries, unless they are `known`, and of the experiments these and no others.
    """
    campaign = store.campaign()
    if campaign is None:
        return Table((), (), (), None, None, 0)
    summaries = (known or Lineage(store.summaries())).nodes
    placed = _places(campaign)
    baselines = _models(store, [s for i, s in summaries.items() if i in placed and s.is_measured])
    fittest = store.pool(number + len(placed), EVERYTHING)
    candidates = _models(store, [s for s in fittest if s.author is not Author.BASELINE][:number])
    unscored = _models(store, _without_fitness(summaries.values()))
    models = [*baselines, *candidates, *unscored]
    frame = _Frame(
        baselines,
        language=pooled_noise(m.language for m in models),
        recall=pooled_noise(m.recall for m in models),
        verdicts={verdict.sha: verdict for verdict in store.verdicts()},
        yardstick=yardstick(campaign, summaries),
    )

    def rows(group: Iterable[_Model]) -> tuple[Row, ...]:
        return tuple(_row(model, frame) for model in group)

    seeds = len(campaign.profile.seeds)
    return Table(rows(baselines), rows(candidates), rows(unscored), frame.language, frame.recall, seeds)


def _places(campaign: Campaign) -> dict[int, str]:
    """The baselines by index; none of an imported campaign."""
    search = campaign.profile.search
    return {} if campaign.origin else Schedule(search).baselines_below(2 * len(search.baselines))


def _without_fitness(summaries: Iterable[Summary]) -> list[Summary]:
    found = [s for s in summaries if s.is_measured and s.fitness is None and s.author is not Author.BASELINE]
    return sorted(found, key=lambda s: (s.language_loss or 0.0, s.index))[:UNSCORED]


def _models(store: Store, summaries: Sequence[Summary]) -> list[_Model]:
    loaded = [(store.experiment(summary.index), summary) for summary in summaries]
    return [_Model(e, summary, seed_losses(e), seed_accuracies(e)) for e, summary in loaded if e is not None]


def _row(model: _Model, frame: _Frame) -> Row:
    others = [other for other in frame.baselines if other.summary.sha != model.summary.sha]
    checks = model.experiment.checks
    return Row(
        summary=model.summary,
        language=_mean(model.language, frame.language),
        recall=_mean(model.recall, frame.recall),
        against=tuple(
            Versus(
                other.summary.name,
                _difference(model.language, other.language, frame.language),
                _difference(model.recall, other.recall, frame.recall),
            )
            for other in others
        ),
        model_parameters=checks.footprint.model_parameters if checks and checks.footprint else None,
        verdict=frame.verdicts.get(model.summary.sha),
        no_fitness=frame.yardstick.why_none(model.summary),
    )


def _mean(values: Sequence[float], noise: Noise | None) -> Reading | None:
    if not values:
        return None
    return Reading(sum(values) / len(values)) if noise is None else Reading.of(mean_interval(values, noise))


def _difference(values: Sequence[float], others: Sequence[float], noise: Noise | None) -> Reading | None:
    if not values or not others:
        return None
    if noise is None:
        return Reading(sum(values) / len(values) - sum(others) / len(others))
    return Reading.of(screening_difference(values, others, noise))
