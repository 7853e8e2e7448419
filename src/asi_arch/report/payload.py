"""Plain data for `--json`, and what the terminal's tables are made of, so that text and JSON can't disagree.

Every function returns dictionaries, lists, strings, numbers and None only. A number that is not finite becomes None.
"""

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import Verdict
from asi_arch.report.digest import campaign_fitness, existing
from asi_arch.report.tables import EVERYTHING, Row, comparison_table
from asi_arch.report.words import OUTCOMES, Reading, outcome_sentence

CURVE_POINTS = 80
"""A training curve is thinned to at most this many means."""


class StatusPayload(TypedDict):
    """`asi-arch status`."""

    campaign: dict[str, Any]
    finished: int
    unfinished: list[dict[str, Any]]
    """Proposed but not recorded: running now, or cut off and taken up again by the next run."""
    outcomes: dict[str, int]
    """Of candidates, baselines left out."""
    baselines: list[dict[str, Any]]
    best: list[dict[str, Any]]
    """Up to five, best first."""
    verdicts: list[dict[str, Any]]
    last_event_at: float | None


class BestPayload(TypedDict):
    """`asi-arch best`."""

    seeds: int
    language_noise_nats: float | None
    recall_noise: float | None
    candidates: list[dict[str, Any]]
    baselines: list[dict[str, Any]]


class TreePayload(TypedDict):
    """`asi-arch tree`."""

    nodes: list[dict[str, Any]]
    roots: list[int]
    best: int | None
    best_path: list[int]
    """From the root to the best."""


class ExperimentPayload(TypedDict):
    """`asi-arch show`."""

    index: int
    name: str
    author: str
    outcome: dict[str, Any]
    sentence: str
    numbers: dict[str, float | None]
    reference: dict[str, Any] | None
    parent: dict[str, Any] | None
    partner: int | None
    references: list[int]
    children: list[int]
    idea: dict[str, Any]
    source: str
    diff: list[str]
    """Unified difference to the parent's source; empty without a parent."""
    checks: dict[str, Any] | None
    runs: list[dict[str, Any]]
    curves: dict[str, dict[str, list[float]]]
    """Stage -> 'step', 'loss', 'reference', 'parent' (means over seeds; a missing one is empty)."""
    judgement: dict[str, Any] | None
    analysis: dict[str, str] | None
    cost: dict[str, float]
    containment: str
    verdicts: list[dict[str, Any]]


def status_payload(store: Store) -> StatusPayload:
    """Where a campaign stands. Raises `StoreError` for a store without one."""
    campaign = existing(store)
    summaries = {summary.index: summary for summary in store.summaries()}
    events = store.events()
    candidates = [s for s in summaries.values() if s.author is not Author.BASELINE]
    counts = Counter(summary.outcome for summary in candidates)
    pool = store.pool(len(campaign.profile.search.baselines) + 5, EVERYTHING)
    fittest = [summary for summary in pool if summary.author is not Author.BASELINE]
    return StatusPayload(
        campaign=_campaign(store),
        finished=len(summaries),
        unfinished=[
            {"index": i, "name": p.name, "author": p.author.value, "parent": p.parent}
            for i, p in store.proposals().items()
            if i not in summaries
        ],
        outcomes={kind: counts[kind] for kind in OUTCOMES if counts[kind]},
        baselines=[_summary(s) for s in summaries.values() if s.author is Author.BASELINE],
        best=[_summary(s) for s in fittest[:5]],
        verdicts=[_verdict(v, summaries.get(-1 if v.index is None else v.index)) for v in store.verdicts()],
        last_event_at=events[-1].at if events else None,
    )


def best_payload(store: Store, number: int = 10) -> BestPayload:
    """The comparison table. Raises `StoreError` for a store without a campaign."""
    existing(store)
    table = comparison_table(store, number)
    return BestPayload(
        seeds=table.seeds,
        language_noise_nats=table.language_noise.std if table.language_noise else None,
        recall_noise=table.recall_noise.std if table.recall_noise else None,
        candidates=[_row(row) for row in table.candidates],
        baselines=[_row(row) for row in table.baselines],
    )


def tree_payload(store: Store) -> TreePayload:
    """The lineage, by index. Raises `StoreError` for a store without a campaign."""
    existing(store)
    lineage = Lineage(store.summaries())
    scored = [s for s in lineage.nodes.values() if s.fitness is not None and s.author is not Author.BASELINE]
    best = max(scored, key=lambda s: (s.fitness or 0.0, -s.index), default=None)
    nodes = [{**_summary(s), "children": lineage.children(s.index)} for s in lineage.nodes.values()]
    path = lineage.path(best.index) if best else []
    return TreePayload(nodes=nodes, roots=sorted(lineage.roots), best=best.index if best else None, best_path=path)


def experiment_payload(store: Store, index: int) -> ExperimentPayload:
    """Everything about one experiment. Raises `UserError` when there is no such finished experiment."""
    campaign = existing(store)
    found = store.experiment(index)
    if found is None:
        raise UserError(f"experiment {index} is not finished; 'asi-arch tree' lists those that are")
    proposal = found.proposal
    reference = store.experiment(0) if index else None
    parent = None if proposal.parent is None else store.experiment(proposal.parent)
    summaries = {summary.index: summary for summary in store.summaries()}
    fitness = campaign_fitness(campaign, summaries)
    parts = fitness.parts(summaries[index])._asdict() if fitness else {}
    return ExperimentPayload(
        index=index,
        name=proposal.name,
        author=proposal.author.value,
        outcome=found.outcome.model_dump(mode="json"),
        sentence=outcome_sentence(found.outcome),
        numbers=_numbers(summaries[index]) | {f"{k}_term": _finite(parts.get(k)) for k in ("loss", "recall", "judge")},
        reference=_summary(summaries[0]) if reference else None,
        parent=_summary(summaries[parent.index]) if parent else None,
        partner=proposal.partner,
        references=list(proposal.references),
        children=[s.index for s in summaries.values() if s.parent == index],
        idea=_idea(proposal),
        source=proposal.source,
        diff=source_diff(parent.proposal, proposal) if parent else [],
        checks=found.checks.model_dump(mode="json") if found.checks else None,
        runs=[_run(found, i) for i in range(len(found.runs))],
        curves={stage.value: _curves(stage, found, reference, parent) for stage in StageName},
        judgement=found.judgement.model_dump(mode="json") if found.judgement else None,
        analysis=found.analysis.model_dump(mode="json") if found.analysis else None,
        cost={**found.cost.model_dump(mode="json"), "cpu_s": found.cost.cpu_s},
        containment=found.containment,
        verdicts=[_verdict(v, summaries[index]) for v in store.verdicts() if v.sha == proposal.sha],
    )


def source_diff(parent: Proposal, child: Proposal) -> list[str]:
    """Unified difference between two sources, three lines of context, without line ends."""
    lines = parent.source.splitlines(), child.source.splitlines()
    return list(difflib.unified_diff(*lines, f"{parent.name}.py", f"{child.name}.py", lineterm=""))


def thinned(losses: Sequence[float], points: int = CURVE_POINTS) -> list[float]:
    """Means over equal stretches of a training curve, at most `points` of them."""
    size = max(1, math.ceil(len(losses) / points))
    stretches = [losses[start : start + size] for start in range(0, len(losses), size)]
    return [sum(stretch) / len(stretch) for stretch in stretches]


def _curves(
    stage: StageName, found: Experiment, reference: Experiment | None, parent: Experiment | None
) -> dict[str, list[float]]:
    """All curves on the steps of the longest, thinned alike."""
    curves = {"loss": _mean_curve(found, stage)}
    curves |= {"reference": _mean_curve(reference, stage), "parent": _mean_curve(parent, stage)}
    longest = max(len(curve) for curve in curves.values())
    size = max(1, math.ceil(longest / CURVE_POINTS))
    steps = [float(min(start + size, longest)) for start in range(0, longest, size)]
    thin = {name: thinned(curve, math.ceil(len(curve) / size)) if curve else [] for name, curve in curves.items()}
    return {"step": steps, **thin}


def _mean_curve(experiment: Experiment | None, stage: StageName) -> list[float]:
    """Mean over the seeds, as far as all of them got; stops before the first loss that is not finite."""
    if experiment is None:
        return []
    runs = [run.losses for run in experiment.runs if run.key.stage is stage]
    curve = [sum(step) / len(step) for step in zip(*runs, strict=False)]
    broken = next((i for i, loss in enumerate(curve) if not math.isfinite(loss)), len(curve))
    return curve[:broken]


def _campaign(store: Store) -> dict[str, Any]:
    campaign = existing(store)
    return {
        "profile": campaign.profile.name,
        "profile_hash": campaign.profile.profile_hash,
        "protocol": campaign.protocol,
        "policy": campaign.profile.search.policy.value,
        "seed": campaign.seed,
        "seeds": list(campaign.profile.seeds),
        "data": campaign.data_description,
        "version": campaign.version,
        "created_at": campaign.created_at,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "index": summary.index,
        "name": summary.name,
        "author": summary.author.value,
        "parent": summary.parent,
        "outcome": summary.outcome,
        **_numbers(summary),
    }


def _numbers(summary: Summary) -> dict[str, float | None]:
    names = ("fitness", "language_loss", "recall_accuracy", "mqar_accuracy", "judge")
    return {name: _finite(getattr(summary, name)) for name in names}


def _row(row: Row) -> dict[str, Any]:
    return {
        **_summary(row.summary),
        "language": _reading(row.language),
        "recall": _reading(row.recall),
        "model_parameters": row.model_parameters,
        "against": {v.baseline: {"language": _reading(v.language), "recall": _reading(v.recall)} for v in row.against},
        "verdict": row.verdict.statement if row.verdict else None,
    }


def _reading(value: Reading | None) -> dict[str, float | None] | None:
    return None if value is None else {"estimate": _finite(value.estimate), "margin": _finite(value.margin)}


def _verdict(verdict: Verdict, summary: Summary | None) -> dict[str, Any]:
    return {**verdict.model_dump(mode="json"), "name": summary.name if summary else verdict.sha[:8]}


def _idea(proposal: Proposal) -> dict[str, Any]:
    return {
        "motivation": proposal.motivation,
        "expectation": proposal.expectation,
        "change": proposal.change,
        "mechanisms": list(proposal.mechanisms),
    }


def _run(experiment: Experiment, place: int) -> dict[str, Any]:
    run = experiment.runs[place]
    score = run.score
    return {
        "stage": run.key.stage.value,
        "seed": run.key.seed,
        "outcome": run.outcome.kind,
        "loss_nats": _finite(score.loss_nats) if score else None,
        "accuracy": _finite(score.accuracy) if score else None,
        "groups": {name: _finite(group.accuracy) for name, group in score.groups.items()} if score else {},
        "steps": run.steps,
        "tokens": run.tokens,
        "parameters": run.parameters,
        "cpu_s": run.cpu_s,
        "wall_s": run.wall_s,
        "peak_mib": run.peak_mib,
        "was_let_through": run.would_stop is not None,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
