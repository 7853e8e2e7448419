"""Plain data for `--json`, and what the terminal's tables are made of, so that text and JSON can't disagree.

Every function returns dictionaries, lists, strings, numbers and None only. A number that is not finite becomes None.
"""

import difflib
from statistics import fmean
from typing import Any, TypedDict, cast

from asi_arch.domain.agenda import in_force, standings
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.domain.provenance import provenances
from asi_arch.domain.revisions import repaired_versions, revision
from asi_arch.report.curve_data import curves
from asi_arch.report.digest import Digest, digest, existing
from asi_arch.report.findings import mending
from asi_arch.report.imported import best_parts, origin_data, published_data, status_parts
from asi_arch.report.imported import sentence as imported_sentence
from asi_arch.report.plain import (
    agenda_data,
    campaign_data,
    finite,
    idea_data,
    numbers,
    row_data,
    run_data,
    summary_data,
    verdict_data,
)
from asi_arch.report.review import review_counts
from asi_arch.report.savings import savings
from asi_arch.report.shape import shape_of
from asi_arch.report.standing import yardstick
from asi_arch.report.tables import EVERYTHING, comparison_table
from asi_arch.report.words import OUTCOMES, outcome_sentence
from asi_arch.report.worth import worth_data


class StatusPayload(TypedDict):
    """`asi-arch status`. In an imported campaign what only our own have is None or empty."""

    campaign: dict[str, Any]
    finished: int
    unfinished: list[dict[str, Any]]
    """Proposed but not recorded: running now, or cut off and taken up again by the next run."""
    outcomes: dict[str, int]
    """Of candidates, baselines left out."""
    early_stops: dict[str, Any] | None
    """`Savings`: how many, audited, wrong, and what they saved."""
    repairs: dict[str, int] | None
    """'repairs' made, 'programs' that got one, and how many of these were 'saved': measured in the end."""
    judge: dict[str, Any] | None
    """Designs that a model marked ('by_model') or could not ('unmarked'), and the mean 'agreement' of its samples."""
    novelty: dict[str, int] | None
    """Of ideas that were 'checked': 'sent_back' how often, 'diversified' from another discipline, known 'repeats'."""
    reviews: dict[str, int] | None
    """Programs that were 'read' before they were trained, 'doubted' by the reader, 'revised' by their authors."""
    baselines: list[dict[str, Any]]
    best: list[dict[str, Any]]
    """Up to five, best first."""
    verdicts: list[dict[str, Any]]
    agenda: dict[str, Any] | None
    """The one in force: 'snapshot', 'author', 'sentences', 'weights'; None where the campaign has none."""
    last_event_at: float | None
    lineage: dict[str, int]
    """`Shape`: 'roots', 'parents', 'depth', 'most_children'."""
    published: dict[str, Any] | None
    """`Known`: how much others published, in an imported campaign; else None."""


class BestPayload(TypedDict):
    """`asi-arch best`."""

    seeds: int | None
    """None in an imported campaign."""
    language_noise_nats: float | None
    recall_noise: float | None
    candidates: list[dict[str, Any]]
    unscored: list[dict[str, Any]]
    """Measured without a fitness, lowest language loss first."""
    baselines: list[dict[str, Any]]
    origin: dict[str, Any] | None
    """Of an imported campaign: 'format', 'title', 'files' and what its 'score' means; else None."""


class TreePayload(TypedDict):
    """`asi-arch tree`."""

    nodes: list[dict[str, Any]]
    roots: list[int]
    best: int | None
    best_path: list[int]
    """From the root to the best."""
    origin: dict[str, Any] | None


class ExperimentPayload(TypedDict):
    """`asi-arch show`."""

    index: int
    name: str
    author: str
    outcome: dict[str, Any]
    sentence: str
    no_fitness: str
    """Why it has none; empty where it has one."""
    numbers: dict[str, float | None]
    reference: dict[str, Any] | None
    parent: dict[str, Any] | None
    partner: int | None
    references: list[int]
    children: list[int]
    idea: dict[str, Any]
    provenance: dict[str, Any] | None
    """'elements' with their origins, and how they were found; None where `asi-arch provenance` was not asked."""
    repairs: list[dict[str, str]]
    """Oldest first: 'failure', 'cause' and the 'diff' that mended it."""
    review: dict[str, Any] | None
    """`Review` and the 'diff' of the revision, taken or not; None where nobody read the program."""
    source: str
    diff: list[str]
    """Unified difference to the parent's source; empty without a parent."""
    checks: dict[str, Any] | None
    runs: list[dict[str, Any]]
    curves: dict[str, dict[str, list[float]]]
    """Stage -> 'step', 'loss', 'reference', 'parent' (means over seeds; a missing one is empty)."""
    judgement: dict[str, Any] | None
    analysis: dict[str, Any] | None
    cost: dict[str, float] | None
    """None for what was not run here."""
    containment: str
    verdicts: list[dict[str, Any]]
    ablation: dict[str, Any] | None
    """What its mechanisms are worth, by the last `asi-arch ablate`; None without one."""
    origin: dict[str, Any] | None
    published: dict[str, Any] | None
    """'label', 'score', 'parameters', 'last', 'curve' and 'tasks' as others published them; None in our own."""


def status_payload(store: Store) -> StatusPayload:
    """Where a campaign stands. Raises `StoreError` for a store without one."""
    campaign = digest(store)
    if campaign.campaign.origin is not None:
        return cast(StatusPayload, status_parts(store, campaign))
    summaries = {line.summary.index: line.summary for line in campaign.lines}
    baselines = [line.summary for line in campaign.baselines]
    pool = store.pool(len(baselines) + 5, EVERYTHING)
    fittest = [summary for summary in pool if summary.author is not Author.BASELINE][:5]
    steered, last = store.events(0, EventKind.REFLECTED, EventKind.ROLLED_BACK), store.last_event()
    return StatusPayload(
        campaign=campaign_data(campaign.campaign),
        finished=len(summaries),
        unfinished=[
            {"index": i, "name": p.name, "author": p.author.value, "parent": p.parent}
            for i, p in store.unfinished().items()
        ],
        outcomes={kind: campaign.outcomes[kind] for kind in OUTCOMES if campaign.outcomes[kind]},
        early_stops=savings(campaign)._asdict(),
        repairs=mending(campaign)._asdict(),
        judge=_judging(campaign),
        novelty=_novelty(campaign),
        reviews=review_counts(line.review for line in campaign.candidates if line.review is not None),
        baselines=[summary_data(s, campaign.yardstick) for s in baselines],
        best=[summary_data(s, campaign.yardstick) for s in fittest],
        verdicts=[verdict_data(v, summaries.get(-1 if v.index is None else v.index)) for v in campaign.verdicts],
        agenda=agenda_data(in_force(standings(steered))),
        last_event_at=last.at if last else None,
        lineage=shape_of(Lineage(summaries.values()))._asdict(),
        published=None,
    )


def _judging(campaign: Digest) -> dict[str, Any]:
    agreements = [line.agreement for line in campaign.lines if line.agreement is not None]
    return {
        "by_model": len(agreements),
        "unmarked": sum(line.is_unmarked for line in campaign.lines),
        "agreement": fmean(agreements) if agreements else None,
    }


def _novelty(campaign: Digest) -> dict[str, int]:
    checked = [line.novelty for line in campaign.candidates if line.novelty is not None]
    return {
        "checked": len(checked),
        "sent_back": sum(len(record.disciplines) for record in checked),
        "diversified": sum(bool(record.discipline) for record in checked),
        "repeats": sum(record.is_repeat for record in checked),
    }


def best_payload(store: Store, number: int = 10) -> BestPayload:
    """The comparison table. Raises `StoreError` for a store without a campaign."""
    campaign = existing(store)
    if campaign.origin is not None:
        return cast(BestPayload, best_parts(store, campaign, number))
    table = comparison_table(store, number)
    return BestPayload(
        seeds=table.seeds,
        language_noise_nats=table.language_noise.std if table.language_noise else None,
        recall_noise=table.recall_noise.std if table.recall_noise else None,
        candidates=[row_data(row) for row in table.candidates],
        unscored=[row_data(row) for row in table.unscored],
        baselines=[row_data(row) for row in table.baselines],
        origin=None,
    )


def tree_payload(store: Store) -> TreePayload:
    """The lineage, by index. Raises `StoreError` for a store without a campaign."""
    campaign = existing(store)
    lineage = Lineage(store.summaries())
    measure = yardstick(campaign, lineage.nodes)
    scored = [s for s in lineage.nodes.values() if s.fitness is not None and s.author is not Author.BASELINE]
    best = max(scored, key=lambda s: (s.fitness or 0.0, -s.index), default=None)
    nodes = [{**summary_data(s, measure), "children": lineage.children(s.index)} for s in lineage.nodes.values()]
    path = lineage.path(best.index) if best else []
    return TreePayload(
        nodes=nodes,
        roots=sorted(lineage.roots),
        best=best.index if best else None,
        best_path=path,
        origin=origin_data(campaign),
    )


def experiment_payload(store: Store, index: int, known: Lineage | None = None) -> ExperimentPayload:
    """Everything about one experiment. Raises `UserError` when there is no such finished experiment.

    `known` is of all that are finished, for who has read them already.
    """
    campaign = existing(store)
    found = store.experiment(index)
    if found is None:
        raise UserError(f"experiment {index} is not finished; 'asi-arch tree' lists those that are")
    proposal = found.proposal
    is_own = campaign.origin is None
    reference = store.experiment(0) if index and is_own else None
    parent = None if proposal.parent is None else store.experiment(proposal.parent)
    lineage = known or Lineage(store.summaries())
    summaries = lineage.nodes
    measure = yardstick(campaign, summaries)
    parts = measure.parts(summaries[index])
    provenance = provenances(store.events(0, EventKind.TRACED)).get(index)
    terms = {f"{name}_term": finite(getattr(parts, name, None)) for name in ("loss", "recall", "judge")}
    return ExperimentPayload(
        index=index,
        name=proposal.name,
        author=proposal.author.value,
        outcome=found.outcome.model_dump(mode="json"),
        sentence=outcome_sentence(found.outcome) if is_own else imported_sentence(found.outcome),
        no_fitness=measure.why_none(summaries[index]),
        numbers=numbers(summaries[index]) | terms,
        reference=summary_data(summaries[0], measure) if reference else None,
        parent=summary_data(summaries[parent.index], measure) if parent else None,
        partner=proposal.partner,
        references=list(proposal.references),
        children=lineage.children(index),
        idea=idea_data(proposal),
        provenance=provenance.model_dump(mode="json") if provenance else None,
        repairs=repairs_data(proposal),
        review=review_data(proposal),
        source=proposal.source,
        diff=source_diff(parent.proposal, proposal) if parent and parent.proposal.source and proposal.source else [],
        checks=found.checks.model_dump(mode="json") if found.checks else None,
        runs=[run_data(run) for run in found.runs],
        curves={stage.value: curves(stage, found, reference, parent) for stage in StageName},
        judgement=found.judgement.model_dump(mode="json") if found.judgement else None,
        analysis=found.analysis.model_dump(mode="json") if found.analysis else None,
        cost={**found.cost.model_dump(mode="json"), "cpu_s": found.cost.cpu_s} if is_own else None,
        containment=found.containment,
        verdicts=[verdict_data(v, summaries[index]) for v in store.verdicts() if v.sha == proposal.sha],
        ablation=worth_data(store, index),
        origin=origin_data(campaign),
        published=published_data(found.published),
    )


def repairs_data(proposal: Proposal) -> list[dict[str, str]]:
    """How a program was mended, oldest first."""
    return [
        {
            "failure": repair.failure,
            "cause": repair.cause,
            "diff": "\n".join(text_diff(before, after, "failed.py", "mended.py")),
        }
        for repair, (before, after) in zip(proposal.repairs, repaired_versions(proposal), strict=True)
    ]


def review_data(proposal: Proposal) -> dict[str, Any] | None:
    """What was doubted and what came of it."""
    if proposal.review is None:
        return None
    versions = revision(proposal)
    diff = "\n".join(text_diff(*versions, "doubted.py", "revised.py")) if versions else ""
    return {**proposal.review.model_dump(mode="json"), "diff": diff}


def source_diff(parent: Proposal, child: Proposal) -> list[str]:
    """Unified difference between two sources, three lines of context, without line ends."""
    return text_diff(parent.source, child.source, f"{parent.name}.py", f"{child.name}.py")


def text_diff(before: str, after: str, old_name: str, new_name: str) -> list[str]:
    """Unified difference between two texts, three lines of context, without line ends."""
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), old_name, new_name, lineterm=""))
