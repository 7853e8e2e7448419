"""The comparison table: the best candidates and all baselines, with intervals over seeds.

Its intervals use the seed noise pooled over the table's models, because two seeds say next to nothing about their own
spread. They are for reading: the best of many was chosen by these very numbers. Claims come from `verify`.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.ports import Store
from asi_arch.domain.verdict import Verdict
from asi_arch.report.digest import seed_accuracies, seed_losses
from asi_arch.report.words import Reading
from asi_arch.search.sampling import Schedule
from asi_arch.stats.paired import Noise, mean_interval, pooled_noise, screening_difference

EVERYTHING = sys.maxsize
"""Above every index."""


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

    @property
    def is_baseline(self) -> bool:
        """Not invented."""
        return self.summary.author is Author.BASELINE


class Table(NamedTuple):
    """Baselines in the profile's order, candidates best first."""

    baselines: tuple[Row, ...]
    candidates: tuple[Row, ...]
    language_noise: Noise | None
    recall_noise: Noise | None
    seeds: int

    @property
    def rows(self) -> tuple[Row, ...]:
        """Candidates first."""
        return self.candidates + self.baselines


class _Model(NamedTuple):
    """An experiment with its values over seeds."""

    experiment: Experiment
    summary: Summary
    language: tuple[float, ...]
    recall: tuple[float, ...]


def comparison_table(store: Store, number: int = 10) -> Table:
    """The `number` fittest candidates and every baseline that was measured. Reads these experiments and no others."""
    campaign = store.campaign()
    if campaign is None:
        return Table((), (), None, None, 0)
    search = campaign.profile.search
    end = 2 * len(search.baselines)
    placed = Schedule(search).baselines_below(end)
    baselines = _models(store, [s for s in store.summaries(end) if s.index in placed and s.is_measured])
    fittest = store.pool(number + len(search.baselines), EVERYTHING)
    chosen = [summary for summary in fittest if summary.author is not Author.BASELINE][:number]
    candidates = _models(store, chosen)
    models = [*baselines, *candidates]
    language, recall = pooled_noise(m.language for m in models), pooled_noise(m.recall for m in models)
    verdicts = {verdict.sha: verdict for verdict in store.verdicts()}

    def rows(group: Iterable[_Model]) -> tuple[Row, ...]:
        return tuple(_row(model, baselines, (language, recall), verdicts.get(model.summary.sha)) for model in group)

    return Table(rows(baselines), rows(candidates), language, recall, len(campaign.profile.seeds))


def _models(store: Store, summaries: Sequence[Summary]) -> list[_Model]:
    loaded = [(store.experiment(summary.index), summary) for summary in summaries]
    return [_Model(e, summary, seed_losses(e), seed_accuracies(e)) for e, summary in loaded if e is not None]


def _row(
    model: _Model, baselines: Sequence[_Model], noise: tuple[Noise | None, Noise | None], verdict: Verdict | None
) -> Row:
    language, recall = noise
    others = [other for other in baselines if other.summary.sha != model.summary.sha]
    checks = model.experiment.checks
    return Row(
        summary=model.summary,
        language=_mean(model.language, language),
        recall=_mean(model.recall, recall),
        against=tuple(
            Versus(
                other.summary.name,
                _difference(model.language, other.language, language),
                _difference(model.recall, other.recall, recall),
            )
            for other in others
        ),
        model_parameters=checks.footprint.model_parameters if checks and checks.footprint else None,
        verdict=verdict,
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
