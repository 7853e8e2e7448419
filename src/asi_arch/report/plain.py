"""Records as dictionaries of plain data. A number that is not finite becomes None."""

import math
from typing import Any

from asi_arch.domain.agenda import Agenda
from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Summary
from asi_arch.domain.outcome import Run
from asi_arch.domain.verdict import Verdict
from asi_arch.report.standing import Yardstick
from asi_arch.report.tables import Row
from asi_arch.report.words import Reading
from asi_arch.stats.wording import evidence_text, promotion_text


def campaign_data(campaign: Campaign) -> dict[str, Any]:
    """Its identity. An imported one has an 'origin' and nothing that a profile says."""
    if campaign.origin is not None:
        unknown = ("profile", "profile_hash", "protocol", "policy", "seed", "seeds", "data")
        return {
            **dict.fromkeys(unknown),
            "version": campaign.version,
            "created_at": campaign.created_at,
            "origin": campaign.origin.model_dump(mode="json"),
        }
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
        "origin": None,
    }


def agenda_data(agenda: Agenda | None) -> dict[str, Any] | None:
    """What it says and how it steers, without the statistics behind it."""
    return None if agenda is None else agenda.model_dump(mode="json", exclude={"findings"})


def summary_data(summary: Summary, measure: Yardstick) -> dict[str, Any]:
    """One experiment's line; 'no_fitness' says why there is none and is empty where there is one.

    In an imported campaign what ranks is called by its name, 'score', as well.
    """
    line = _line(summary, measure.why_none(summary))
    return {**line, "score": finite(summary.fitness)} if measure.is_imported else line


def numbers(summary: Summary) -> dict[str, float | None]:
    """Fitness and what it is made of."""
    names = ("fitness", "language_loss", "recall_accuracy", "mqar_accuracy", "judge")
    return {name: finite(getattr(summary, name)) for name in names}


def row_data(row: Row) -> dict[str, Any]:
    """One line of the comparison table, with intervals."""
    return {
        **_line(row.summary, row.no_fitness),
        "language": _reading(row.language),
        "recall": _reading(row.recall),
        "model_parameters": row.model_parameters,
        "against": {v.baseline: {"language": _reading(v.language), "recall": _reading(v.recall)} for v in row.against},
        "verdict": row.verdict.statement if row.verdict else None,
        "promotion": promotion_text(row.verdict) if row.verdict else None,
        "evidence": evidence_text(row.verdict) if row.verdict else None,
    }


def verdict_data(verdict: Verdict, summary: Summary | None) -> dict[str, Any]:
    """A verdict with the name of its model, or the beginning of its hash for one that is not of this campaign."""
    name = summary.name if summary else verdict.sha[:8]
    words = {"name": name, "promotion": promotion_text(verdict), "evidence": evidence_text(verdict)}
    return {**verdict.model_dump(mode="json"), **words}


def idea_data(proposal: Proposal) -> dict[str, Any]:
    """What a proposal says about itself."""
    return {
        "motivation": proposal.motivation,
        "expectation": proposal.expectation,
        "change": proposal.change,
        "passages": list(proposal.passages),
        "mechanisms": list(proposal.mechanisms),
        "novelty": proposal.novelty.model_dump(mode="json") if proposal.novelty else None,
    }


def run_data(run: Run) -> dict[str, Any]:
    """One training without its curve and its weights."""
    score = run.score
    return {
        "stage": run.key.stage.value,
        "seed": run.key.seed,
        "outcome": run.outcome.kind,
        "loss_nats": finite(score.loss_nats) if score else None,
        "accuracy": finite(score.accuracy) if score else None,
        "groups": {name: finite(group.accuracy) for name, group in score.groups.items()} if score else {},
        "steps": run.steps,
        "tokens": run.tokens,
        "parameters": run.parameters,
        "cpu_s": run.cpu_s,
        "wall_s": run.wall_s,
        "peak_mib": run.peak_mib,
        "was_let_through": run.would_stop is not None,
        "auxiliary": finite(run.auxiliary),
        "findings": [finding.model_dump(mode="json") for finding in run.findings],
        "blind": score.blind.model_dump(mode="json") if score and score.blind else None,
    }


def finite(value: float | None) -> float | None:
    """The number, or None for what JSON can't hold."""
    return value if value is not None and math.isfinite(value) else None


def _line(summary: Summary, no_fitness: str) -> dict[str, Any]:
    return {
        "index": summary.index,
        "name": summary.name,
        "author": summary.author.value,
        "parent": summary.parent,
        "outcome": summary.outcome,
        **numbers(summary),
        "no_fitness": no_fitness,
    }


def _reading(value: Reading | None) -> dict[str, float | None] | None:
    return None if value is None else {"estimate": finite(value.estimate), "margin": finite(value.margin)}
