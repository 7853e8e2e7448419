"""The part of the page that explains one design: where it comes from, what it does, what was learnt from it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Analysis, Experiment
from asi_arch.report import findings
from asi_arch.report.digest import Digest
from asi_arch.report.highlight import code
from asi_arch.report.payload import source_diff
from asi_arch.report.words import BY_A_MODEL, Reading, number, reading

_ANALYSIS = ("design", "results", "expectation", "mechanism", "lessons")
_VISIBLE_NATS = 0.0005
"""Less is not seen in three digits."""


class Chosen(NamedTuple):
    """The design that the page explains, and what it was made from."""

    experiment: Experiment
    parent: Experiment | None


def best_design(campaign: Digest, chosen: Chosen) -> dict[str, Any]:
    """What the template shows of it."""
    experiment, parent = chosen
    proposal, analysis = experiment.proposal, experiment.analysis
    diff = "\n".join(source_diff(parent.proposal, proposal)) if parent else ""
    is_verified = any(verdict.sha == proposal.sha for verdict in campaign.verdicts)
    return {
        "title": f"The {_rank(experiment, is_verified=is_verified)}: {proposal.name}",
        "origin": _origin(experiment, parent),
        "motivation": proposal.motivation,
        "change": proposal.change,
        "expectation": proposal.expectation,
        "mechanisms": proposal.mechanisms,
        "luck_free": _luck_free(campaign, experiment.index),
        "analysis": list(_parts(analysis)) if analysis else [],
        "judgement": experiment.judgement,
        "diff": code(diff, "diff") if diff else "",
        "code": code(proposal.source, "python") if proposal.source.strip() else "",
    }


def _rank(experiment: Experiment, *, is_verified: bool) -> str:
    if experiment.published is not None:
        return "design with the highest published score"
    return "verified design" if is_verified else "fittest design"


def _parts(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """Headings and texts."""
    for name in _ANALYSIS:
        yield name.capitalize(), getattr(analysis, name)
    if analysis.findings:
        yield "Findings", " ".join(analysis.findings)
    if analysis.author == "model":
        yield "Source", BY_A_MODEL
    if analysis.note:
        yield "Note", analysis.note


def _origin(experiment: Experiment, parent: Experiment | None) -> str:
    author = experiment.proposal.author
    origin = "imported" if author is Author.IMPORTED else f"written by the {author.value}"
    text = f"Experiment {experiment.index}, {origin}"
    if parent is not None:
        text += f", a child of {parent.proposal.name} (#{parent.index})"
    if experiment.proposal.partner is not None:
        text += f", crossed with #{experiment.proposal.partner}"
    if experiment.published is not None:
        return f"{text}."
    return f"{text}; contained by: {experiment.containment}."


def _luck_free(campaign: Digest, index: int) -> str:
    """Only for the fittest: the estimate is about being picked as the best of many."""
    found, best = findings.luck_free(campaign), campaign.best
    if found is None or best is None or best.summary.index != index or best.summary.language_loss is None:
        return ""
    text = "The best of many is partly lucky, so its numbers are shrunk towards the mean of all measured candidates: "
    expected = f"{reading(Reading.of(found))} nats"
    if abs(found.estimate - best.summary.language_loss) < _VISIBLE_NATS:
        return (
            f"{text}with new seeds a language loss of {expected} is to be expected, as was measured, because the"
            " candidates differ by much more than their seeds do."
        )
    return (
        f"{text}with new seeds a language loss of {expected} is to be expected, after"
        f" {number(best.summary.language_loss)} as measured."
    )
