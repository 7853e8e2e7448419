"""The model card: README.md of an export, in which every number is one that the campaign stored."""

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.profile import StageName
from asi_arch.domain.record import sha256
from asi_arch.domain.verdict import Interval
from asi_arch.report.export.subject import Subject
from asi_arch.report.words import MISSING, duration, number
from asi_arch.stats.wording import day, is_loss, promotion_text

TEMPLATES = Path(__file__).parent / "templates"
_AUTHORS = {
    Author.BASELINE: "It is a known architecture, as a program of asi-arch.",
    Author.COMPOSER: "It was written by asi-arch's composer, without a language model.",
    Author.DESIGNER: "A language model chose its mechanisms, and asi-arch's composer wrote the program.",
    Author.MODEL: "It was written by a language model, or by whoever answered in its place.",
    Author.USER: "It was written by the user of asi-arch.",
    Author.IMPORTED: "It was imported into the campaign and written elsewhere.",
}
_FOREIGN = (Author.USER, Author.IMPORTED)
_CITED = re.compile(r"arXiv[:\s]\s*(\d{4}\.\d{4,5})")


def card(subject: Subject, *, packages: Iterable[str], parameters: int, has_step: bool) -> str:
    """The card as Markdown. `packages` are those that have to be installed."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"quoted": quoted, "cell": cell, "json": json.dumps, "day": day}
    return environment.get_template("card.md.j2").render(
        _facts(subject) | {"packages": list(packages), "parameters": parameters, "has_step": has_step}
    )


def quoted(text: str) -> str:
    """What somebody wrote as a Markdown quotation, in which no HTML and no link is left."""
    lines = _printable(text).replace("&", "&amp;").replace("<", "&lt;").replace("[", r"\[").splitlines() or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def cell(text: str) -> str:
    """The same within a line or a table."""
    plain = " ".join(_printable(text).split())
    return re.sub(r"([\\`*_|\[\]<&])", r"\\\1", plain)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def _facts(subject: Subject) -> dict[str, Any]:
    campaign, experiment, run = subject.campaign, subject.experiment, subject.run
    proposal = experiment.proposal
    stage, score = campaign.profile.language, run.score
    assert score is not None, "weights are kept of what was scored"
    own = [paper.arxiv for paper in subject.papers]
    return {
        "subject": subject,
        "proposal": proposal,
        "name": proposal.name,
        "stage": stage,
        "model": campaign.profile.model,
        "loss": number(score.loss_nats, 4),
        "bits": number(score.loss_nats / math.log(2), 3) if stage.vocabulary == "bytes" else "",
        "train_cpu": duration(run.cpu_s),
        "experiment_cpu": duration(experiment.cost.cpu_s),
        "seeds": sorted({each.key.seed for each in experiment.runs if each.key.stage is StageName.LANGUAGE}),
        "rows": [_row(experiment.summary(), is_this=True), *(_row(each) for each in subject.baselines)],
        "comparisons": _comparisons(subject),
        "promotion": promotion_text(subject.verdict) if subject.verdict else "",
        "author": _AUTHORS[proposal.author],
        "is_foreign": proposal.author in _FOREIGN,
        "cited": [each for each in dict.fromkeys(_CITED.findall(proposal.source)) if each not in own],
        "source_sha": sha256(proposal.source),
        "weights_sha": run.weights,
    }


def _row(summary: Summary, *, is_this: bool = False) -> dict[str, str]:
    return {
        "name": f"**{cell(summary.name)}**" if is_this else cell(summary.name),
        "loss": number(summary.language_loss, 4),
        "recall": number(summary.recall_accuracy),
    }


def _comparisons(subject: Subject) -> list[dict[str, str]]:
    found = subject.verdict.comparisons if subject.verdict else ()
    return [
        {
            "quantity": each.quantity + (" (nats)" if is_loss(each.quantity) else ""),
            "baseline": cell(each.baseline),
            "candidate_mean": number(each.candidate_mean, 4),
            "baseline_mean": number(each.baseline_mean, 4),
            "difference": _interval(each.difference),
            "seeds": str(len(each.seeds)),
        }
        for each in found
    ]


def _interval(interval: Interval) -> str:
    if not all(map(math.isfinite, (interval.estimate, interval.low, interval.high))):
        return MISSING
    return f"{interval.estimate:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"
