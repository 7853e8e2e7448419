"""What is told of a campaign by others: its scores as scores, its figures as published, and nothing of a profile."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.outcome import Measured, Outcome
from asi_arch.domain.ports import Store
from asi_arch.domain.published import Published
from asi_arch.report.digest import Digest
from asi_arch.report.plain import campaign_data, finite, summary_data
from asi_arch.report.shape import shape_of
from asi_arch.report.standing import Yardstick, yardstick
from asi_arch.report.tables import EVERYTHING
from asi_arch.report.words import OUTCOMES, outcome_sentence

_MOST = 5


class Known(NamedTuple):
    """How much was published of a whole campaign."""

    scores: int
    programs: int
    curves: int
    parameters: int
    fewest_parameters: int | None
    most_parameters: int | None
    tasks: dict[str, int]
    """Benchmark -> of how many designs."""


def origin_data(campaign: Campaign) -> dict[str, Any] | None:
    """Where it comes from; None for a campaign of this program's own."""
    return campaign.origin.model_dump(mode="json") if campaign.origin is not None else None


def published_data(published: Published | None) -> dict[str, Any] | None:
    """All that was published of one design, and the last point of its curve by itself."""
    if published is None:
        return None
    curve = [{"step": p.step, "loss_nats": finite(p.loss_nats)} for p in published.curve]
    return {
        "label": published.label,
        "score": finite(published.score),
        "parameters": published.parameters,
        "last": curve[-1] if curve else None,
        "curve": curve,
        "tasks": {name: finite(value) for name, value in published.tasks.items()},
    }


def known_of(published: Iterable[Published | None], programs: int) -> Known:
    """How often each figure is there; what is missing counts nowhere."""
    there = [item for item in published if item is not None]
    sizes = [item.parameters for item in there if item.parameters is not None]
    return Known(
        scores=sum(item.score is not None for item in there),
        programs=programs,
        curves=sum(bool(item.curve) for item in there),
        parameters=len(sizes),
        fewest_parameters=min(sizes, default=None),
        most_parameters=max(sizes, default=None),
        tasks=dict(Counter(name for item in there for name in item.tasks)),
    )


def status_parts(store: Store, campaign: Digest) -> dict[str, Any]:
    """The fields of `StatusPayload` for an imported campaign. What only our own campaigns have is None or empty."""
    summaries = [line.summary for line in campaign.lines]
    programs = sum(line.has_program for line in campaign.lines)
    return {
        "campaign": campaign_data(campaign.campaign),
        "finished": len(summaries),
        "unfinished": [],
        "outcomes": {kind: campaign.outcomes[kind] for kind in OUTCOMES if campaign.outcomes[kind]},
        **dict.fromkeys(("early_stops", "repairs", "judge", "novelty", "reviews", "agenda")),
        "baselines": [],
        "best": best_rows(store, campaign.yardstick, _MOST),
        "verdicts": [],
        "last_event_at": None,
        "lineage": shape_of(Lineage(summaries))._asdict(),
        "published": known_of((line.published for line in campaign.lines), programs)._asdict(),
    }


def best_rows(store: Store, measure: Yardstick, number: int) -> list[dict[str, Any]]:
    """The `number` with the highest scores, with what was published of them."""
    ranked = store.pool(number, EVERYTHING)
    found = ((summary, store.experiment(summary.index)) for summary in ranked)
    return [_row(summary, experiment, measure) for summary, experiment in found if experiment is not None]


def best_parts(store: Store, campaign: Campaign, number: int) -> dict[str, Any]:
    """The fields of `BestPayload` for an imported campaign: nothing here says how sure its scores are."""
    measure = yardstick(campaign, {})
    return {
        "seeds": None,
        "language_noise_nats": None,
        "recall_noise": None,
        "candidates": best_rows(store, measure, number),
        "unscored": [],
        "baselines": [],
        "origin": origin_data(campaign),
    }


def sentence(outcome: Outcome) -> str:
    """What became of a design elsewhere."""
    if isinstance(outcome, Measured):
        return "Measured by others; nothing of it was run or checked here."
    return f"{outcome_sentence(outcome)} So its source says; nothing of it was run or checked here."


def _row(summary: Summary, experiment: Experiment, measure: Yardstick) -> dict[str, Any]:
    return {**summary_data(summary, measure), "published": published_data(experiment.published)}
