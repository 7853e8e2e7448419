"""The final comparison (the paper's Table 1) and the gallery (Table 2)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.outcome import RunKey, StageScore
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.verdict import Comparison, Verdict
from asi_arch.report import findings
from asi_arch.report.digest import Digest
from asi_arch.report.sheets.sheet import Cell, Column, Row, Sheet
from asi_arch.report.tables import Table, Versus
from asi_arch.report.words import Reading
from asi_arch.stats.paired import mean_interval, pooled_noise
from asi_arch.stats.wording import is_loss

_LOSS, _RECALL = "language loss, nats", "recall accuracy"


class _Model(NamedTuple):
    """A model of the final comparison with its values on fresh seeds."""

    name: str
    standing: str
    sha: str
    verdict: Verdict | None
    """None for a baseline."""
    values: Mapping[str, Sequence[float]]
    """By column, one per seed; empty where the runs are not in the store."""
    fallback: Mapping[str, float]
    """Means as the verdicts have them."""
    seeds: int


def comparison_sheet(campaign: Digest, store: Store) -> Sheet:
    """Verified designs and the baselines on both stages and every task, measured with fresh seeds.

    ± is the 95% interval of a mean, from the noise between seeds pooled over the table's models; differences are those
    of the verdicts, with their intervals.
    """
    latest = {verdict.sha: verdict for verdict in campaign.verdicts}
    verified = [_verified(campaign, store, verdict) for verdict in latest.values()]
    verified.sort(key=lambda model: (model.standing != "promoted", _gap(model)))
    baselines = [_baseline(campaign, store, name, latest.values()) for name in _compared(latest.values())]
    models = [*verified, *baselines]
    tasks = sorted({name for model in models for name in model.values} - {_LOSS, _RECALL})
    quantities = [_LOSS, _RECALL, *tasks]
    means = {name: _means(models, name) for name in quantities}
    versus = [(name, kind) for name in _compared(latest.values()) for kind in ("language loss", "recall accuracy")]
    columns = (
        Column("design"),
        Column("standing"),
        Column("fresh seeds"),
        *(Column(name) for name in quantities),
        *(Column(f"{kind} minus {name}'s", is_signed=True) for name, kind in versus),
    )
    rows = tuple(
        Row(
            (
                model.name,
                model.standing,
                model.seeds,
                *(means[name][place] for name in quantities),
                *(_difference(model, name, kind) for name, kind in versus),
            ),
            group=int(model.verdict is None),
        )
        for place, model in enumerate(models)
    )
    return Sheet(
        name="table-1-comparison",
        title="Final comparison",
        columns=columns,
        rows=rows,
        note="Trained with fresh seeds and measured on data that the search never saw. ± is a 95% interval: of means"
        " from the noise between seeds pooled over the models, of differences as in the verdicts.",
        missing="" if rows else "nothing was verified yet; 'asi-arch verify best' does it",
    )


def gallery_sheet(campaign: Digest, table: Table) -> Sheet:
    """The fittest designs with the search's own numbers and the difference to each baseline, at one scale."""
    baselines = [row.summary.name for row in table.baselines]
    columns = (
        Column("design"),
        Column("number", is_name=True),
        Column("fitness"),
        Column(_LOSS),
        Column(_RECALL),
        Column("parameters"),
        Column("verified"),
        *(Column(f"loss minus {name}'s", is_signed=True) for name in baselines),
        *(Column(f"recall minus {name}'s", is_signed=True) for name in baselines),
    )
    rows: list[Row] = []
    for row in table.rows:
        against = {versus.baseline: versus for versus in row.against}
        rows.append(
            Row(
                (
                    row.summary.name,
                    row.summary.index,
                    row.summary.fitness,
                    row.language,
                    row.recall,
                    row.model_parameters,
                    _verification(campaign, row.verdict),
                    *(_versus(against.get(name), "language") for name in baselines),
                    *(_versus(against.get(name), "recall") for name in baselines),
                ),
                group=int(row.is_baseline),
            )
        )
    return Sheet(
        name="table-2-gallery",
        title="Gallery",
        columns=columns,
        rows=tuple(rows),
        note="The fittest candidates and the baselines, at the one scale that was trained. The search's own numbers, by"
        " which the candidates were chosen: leads, not claims. ± is a 95% interval from the pooled noise of seeds.",
        missing="" if rows else "nothing was measured yet",
    )


def _versus(found: Versus | None, quantity: str) -> Cell:
    if found is None:
        return None
    return found.language if quantity == "language" else found.recall


def _verification(campaign: Digest, verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return "promoted" if verdict.sha in findings.promoted_shas(campaign) else "not promoted"


def _verified(campaign: Digest, store: Store, verdict: Verdict) -> _Model:
    names = {line.summary.sha: f"{line.summary.name} #{line.summary.index}" for line in reversed(campaign.lines)}
    seeds = sorted({seed for comparison in verdict.comparisons for seed in comparison.seeds})
    fallback = {_column(c): c.candidate_mean for c in verdict.comparisons}
    return _Model(
        name=names.get(verdict.sha, f"source {verdict.sha[:8]}"),
        standing=_verification(campaign, verdict),
        sha=verdict.sha,
        verdict=verdict,
        values=_values(store, verdict.sha, verdict.protocol, seeds),
        fallback=fallback,
        seeds=len(seeds),
    )


def _baseline(campaign: Digest, store: Store, name: str, verdicts: Iterable[Verdict]) -> _Model:
    """With the seeds of the latest verdict that compares with it."""
    found = [(v, c) for v in verdicts for c in v.comparisons if c.baseline == name]
    latest = found[-1][0]
    seeds = sorted({seed for verdict, c in found if verdict is latest for seed in c.seeds})
    sha = next((line.summary.sha for line in campaign.baselines if line.summary.name == name), "")
    fallback = {_column(c): c.baseline_mean for verdict, c in found if verdict is latest}
    values = _values(store, sha, latest.protocol, seeds) if sha else {}
    return _Model(name, "baseline", sha, None, values, fallback, len(seeds))


def _compared(verdicts: Iterable[Verdict]) -> list[str]:
    """The baselines of all verdicts."""
    return list(dict.fromkeys(c.baseline for verdict in verdicts for c in verdict.comparisons))


def _values(store: Store, sha: str, protocol: str, seeds: Sequence[int]) -> dict[str, list[float]]:
    """From the fresh runs that the store has; a column is left out where a seed is missing."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        for stage in StageName:
            run = store.run(RunKey(sha=sha, protocol=protocol, stage=stage, seed=seed, split=Split.FRESH))
            if run is not None and run.score is not None:
                for name, value in _columns(stage, run.score).items():
                    found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if len(values) == len(seeds)}


def _columns(stage: StageName, score: StageScore) -> dict[str, float]:
    if stage is StageName.LANGUAGE:
        return {_LOSS: score.loss_nats}
    return {_RECALL: score.accuracy, **{_task(name): group.accuracy for name, group in score.groups.items()}}


def _task(name: str) -> str:
    return name.replace("_", " ")


def _column(comparison: Comparison) -> str:
    return _LOSS if is_loss(comparison.quantity) else _RECALL


def _means(models: Sequence[_Model], name: str) -> list[Reading | None]:
    noise = pooled_noise(model.values[name] for model in models if name in model.values)
    found: list[Reading | None] = []
    for model in models:
        values = model.values.get(name)
        if values and noise is not None:
            found.append(Reading.of(mean_interval(values, noise)))
        elif values:
            found.append(Reading(sum(values) / len(values)))
        else:
            found.append(Reading(model.fallback[name]) if name in model.fallback else None)
    return found


def _difference(model: _Model, baseline: str, quantity: str) -> Reading | None:
    comparisons = model.verdict.comparisons if model.verdict else ()
    wanted = quantity == "language loss"
    same = (c for c in comparisons if c.baseline == baseline and is_loss(c.quantity) is wanted)
    return next((Reading.of(c.difference) for c in same), None)


def _gap(model: _Model) -> float:
    losses = [
        c.difference.estimate for c in (model.verdict.comparisons if model.verdict else ()) if is_loss(c.quantity)
    ]
    return losses[0] if losses else 0.0
