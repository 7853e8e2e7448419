"""What a tracker is told, as plain numbers and words, and what every tracker can do."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Run
from asi_arch.domain.profile import StageName

MOST_POINTS = 1000
"""Of one curve: a longer one is thinned evenly, its first and last step kept."""
_LONGEST = 500
"""Characters of a text."""


class Scored(NamedTuple):
    """The fitness of an experiment once it can't change any more: after all baselines were measured."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    fitness: float | None
    """None for what must not be a parent."""
    best: float | None
    """The fittest invention's up to this index; None before there is one."""
    at: float
    """Unix time at which the experiment was finished."""


class Tracker(Protocol):
    """Shows one campaign in one place. Every method has delivered when it returns, or raises what its library raises.

    Experiments come in order of index, each `tell` once and later each `score` once, but for the last one before a
    kill, which may come again: what is there already must not be there twice.
    """

    def tell(self, experiment: Experiment) -> None:
        """Show a recorded experiment: outcome, numbers, training curves."""
        ...

    def score(self, scored: Scored) -> None:
        """Show the fitness of an experiment that was told."""
        ...

    def close(self) -> None:
        """Deliver the rest and let go."""
        ...


class Point(NamedTuple):
    """Of a training curve; the first step is 1."""

    step: int
    loss_nats: float


def campaign_name(campaign: Campaign) -> str:
    """The same whenever the campaign is resumed and wherever its folder is moved to."""
    identity = f"{campaign.created_at!r} {campaign.seed} {campaign.data_fingerprint}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return f"{safe(campaign.profile.name)}-seed{campaign.seed}-{digest}"


def experiment_name(experiment: Experiment) -> str:
    """'0017-gated_mixer'."""
    return f"{experiment.index:04}-{safe(experiment.proposal.name)}"


def curve_name(run: Run) -> str:
    """'language/seed0'."""
    return f"{run.key.stage.value}/seed{run.key.seed}"


def safe(name: str) -> str:
    """A name that can be part of a path and of an address."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._-")[:60] or "unnamed"


def numbers(experiment: Experiment) -> dict[str, float]:
    """What was measured, means over the seeds; what is missing or not finite is left out."""
    footprint = experiment.checks.footprint if experiment.checks else None
    groups = sorted({name for run in experiment.runs if run.score for name in run.score.groups})
    peaks = [run.peak_mib for run in experiment.runs]
    found: dict[str, float | None] = {
        "language_loss_nats": experiment.mean_loss(StageName.LANGUAGE),
        "recall_loss_nats": experiment.mean_loss(StageName.RECALL),
        "recall_accuracy": experiment.mean_accuracy(),
        **{f"accuracy/{name}": experiment.mean_accuracy(name) for name in groups},
        "judge": experiment.judgement.score if experiment.judgement else None,
        "parameters": footprint.model_parameters if footprint else None,
        "flops": footprint.flops if footprint else None,
        "peak_mib": max(peaks) if peaks else None,
        "cpu_s": experiment.cost.cpu_s,
        "wall_s": experiment.cost.wall_s,
        "is_measured": float(experiment.outcome.kind == "measured"),
    }
    return {name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)}


def facts(experiment: Experiment) -> dict[str, str]:
    """What it is and what became of it, in words; the program itself is not told."""
    proposal = experiment.proposal
    found = {
        "name": proposal.name,
        "author": proposal.author.value,
        "parent": "" if proposal.parent is None else str(proposal.parent),
        "outcome": experiment.outcome.kind,
        "reason": str(getattr(experiment.outcome, "reason", "")),
        "motivation": proposal.motivation,
        "mechanisms": ", ".join(proposal.mechanisms),
        "containment": experiment.containment,
        "sha": proposal.sha,
    }
    return {name: text[:_LONGEST] for name, text in found.items() if text}


def campaign_facts(campaign: Campaign) -> dict[str, str]:
    """What its experiments have in common."""
    return {
        "profile": campaign.profile.name,
        "seed": str(campaign.seed),
        "policy": campaign.profile.search.policy.value,
        "data": campaign.data_description,
        "protocol": campaign.protocol,
        "version": campaign.version,
    }


def points(losses: Sequence[float]) -> list[Point]:
    """A run's training losses, as claimed by its worker, of at most `MOST_POINTS` steps."""
    stride = max(1, math.ceil(len(losses) / (MOST_POINTS - 1)))
    kept = [*range(0, len(losses), stride)]
    if losses and kept[-1] != len(losses) - 1:
        kept.append(len(losses) - 1)
    return [Point(index + 1, losses[index]) for index in kept]


def final_scores(experiment: Experiment) -> Mapping[str, float]:
    """The held-out loss and accuracy of every scored run."""
    found: dict[str, float] = {}
    for run in experiment.runs:
        if run.score is not None:
            found[f"{curve_name(run)}/held_out_loss_nats"] = run.score.loss_nats
            found[f"{curve_name(run)}/accuracy"] = run.score.accuracy
    return found
