"""What the page says, put into its template. All text is escaped; only pygments' own markup passes as it is."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from asi_arch.domain.experiment import Experiment
from asi_arch.report import findings
from asi_arch.report.digest import Digest
from asi_arch.report.highlight import code, rules
from asi_arch.report.method import method, question, threats
from asi_arch.report.payload import source_diff
from asi_arch.report.pictures import Picture
from asi_arch.report.tables import Table, Versus
from asi_arch.report.words import MISSING, OUTCOMES, Reading, duration, number, plural, reading
from asi_arch.stats.wording import is_loss

_ANALYSIS = ("design", "results", "expectation", "mechanism", "lessons")
_TEMPLATES = PackageLoader("asi_arch.report", "templates")


class Chosen(NamedTuple):
    """The design that the page explains, and what it was made from."""

    experiment: Experiment
    parent: Experiment | None


def render(campaign: Digest, table: Table, pictures: Sequence[Picture], *, chosen: Chosen | None, at: float) -> str:
    """The page as HTML; `at` is the Unix time of writing."""
    environment = Environment(loader=_TEMPLATES, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    filters = cast(dict[str, Any], environment.filters)
    filters |= {"number": number, "reading": _reading, "by_baseline": _by_baseline}
    profile = campaign.campaign.profile
    return environment.get_template("report.html.j2").render(
        title=f"Campaign report: {profile.name}",
        subtitle=f"{profile.description}. Written {_date(at)}; campaign begun {_date(campaign.campaign.created_at)}.",
        css=Markup(_css()),
        headline=findings.headline(campaign, table),
        tiles=_tiles(campaign, table),
        question=question(campaign.campaign),
        budget=_budget(campaign),
        table=table,
        table_note=_table_note(table),
        verdicts=_verdicts(campaign),
        vault_looks=_vault_looks(campaign),
        reference_name=profile.search.baselines[0],
        discovery_q=findings.DISCOVERY_Q,
        figures={p.name: {"data": base64.b64encode(p.png).decode(), **p._asdict()} for p in pictures},
        best=_best(campaign, chosen) if chosen else None,
        failures=[f._replace(kind=OUTCOMES[f.kind]) for f in findings.failures(campaign)],
        nothing_failed="Every candidate was measured." if campaign.candidates else "There was no candidate yet.",
        savings=_savings(findings.savings(campaign)),
        method=method(campaign.campaign),
        threats=threats(campaign),
        profile=code(json.dumps(profile.model_dump(mode="json"), indent=2), "json"),
        profile_hash=profile.profile_hash[:12],
        footer=f"asi-arch {campaign.campaign.version}, protocol {campaign.campaign.protocol[:12]}",
    )


def _tiles(campaign: Digest, table: Table) -> list[tuple[str, str]]:
    best, reference = table.candidates[0] if table.candidates else None, campaign.reference
    measured = sum(line.summary.is_measured for line in campaign.candidates)
    return [
        ("candidates", f"{len(campaign.candidates):,}"),
        ("of these measured", f"{measured:,}"),
        ("verified", f"{len({verdict.sha for verdict in campaign.verdicts}):,}"),
        ("loss of the fittest", number(best.summary.language_loss if best else None)),
        ("loss of the reference", number(reference.summary.language_loss if reference else None)),
        ("CPU time", duration(sum(line.cost.cpu_s for line in campaign.lines))),
    ]


def _budget(campaign: Digest) -> str:
    if not campaign.lines:
        return "No experiment is finished yet."
    ended = max(line.finished_at for line in campaign.lines)
    cpu_s = sum(line.cost.cpu_s for line in campaign.lines)
    return (
        f"{plural(len(campaign.lines), 'experiment')} ({plural(len(campaign.baselines), 'baseline')} and"
        f" {plural(len(campaign.candidates), 'candidate')}) took {duration(cpu_s)} of CPU time, from"
        f" {_date(campaign.campaign.created_at)} to {_date(ended)}."
    )


def _table_note(table: Table) -> str:
    if table.language_noise is None:
        return "No intervals: the noise between seeds is known only when a model was trained with two seeds."
    return (
        "The fittest candidates, best first, above all baselines. ± is a 95% interval from the noise between seeds,"
        f" pooled over the models of this table ({table.language_noise.std:.3f} nats,"
        f" {plural(table.seeds, 'seed')} each). Coloured differences exceed it. These are the search's own"
        " numbers, by which the candidates were chosen: leads, not claims."
    )


def _verdicts(campaign: Digest) -> list[dict[str, Any]]:
    """One row for every comparison of every model's latest verdict."""
    reference = campaign.campaign.profile.search.baselines[0]
    q = findings.discoveries(campaign.verdicts, reference)
    names = {line.summary.sha: f"{line.summary.name} #{line.summary.index}" for line in reversed(campaign.lines)}
    return [
        {
            "name": names.get(verdict.sha, f"source {verdict.sha[:8]}"),
            "quantity": comparison.quantity,
            "baseline": comparison.baseline,
            "is_loss": is_loss(comparison.quantity),
            "difference": Reading.of(comparison.difference),
            "p": f"{comparison.p_value:.2g}",
            "q": f"{q[verdict.sha]:.2g}"
            if comparison.baseline == reference and is_loss(comparison.quantity)
            else MISSING,
            "seeds": len(comparison.seeds),
        }
        for verdict in {verdict.sha: verdict for verdict in campaign.verdicts}.values()
        for comparison in verdict.comparisons
    ]


def _vault_looks(campaign: Digest) -> str:
    looks = max((verdict.vault_looks for verdict in campaign.verdicts), default=0)
    return plural(looks, "time")


def _best(campaign: Digest, chosen: Chosen) -> dict[str, Any]:
    experiment, parent = chosen
    proposal, analysis = experiment.proposal, experiment.analysis
    diff = "\n".join(source_diff(parent.proposal, proposal)) if parent else ""
    return {
        "name": proposal.name,
        "origin": _origin(experiment, parent),
        "motivation": proposal.motivation,
        "change": proposal.change,
        "expectation": proposal.expectation,
        "mechanisms": proposal.mechanisms,
        "luck_free": _luck_free(campaign, experiment.index),
        "analysis": [(name.capitalize(), getattr(analysis, name)) for name in _ANALYSIS] if analysis else [],
        "marks": experiment.judgement.marks if experiment.judgement else (),
        "diff": code(diff, "diff") if diff else "",
        "code": code(proposal.source, "python"),
    }


def _origin(experiment: Experiment, parent: Experiment | None) -> str:
    text = f"Experiment {experiment.index}, written by the {experiment.proposal.author.value}"
    if parent is not None:
        text += f", a child of {parent.proposal.name} (#{parent.index})"
    if experiment.proposal.partner is not None:
        text += f", crossed with #{experiment.proposal.partner}"
    return f"{text}; contained by: {experiment.containment}."


def _luck_free(campaign: Digest, index: int) -> str:
    """Only for the fittest: the estimate is about being picked as the best of many."""
    found = findings.luck_free(campaign)
    if found is None or campaign.best is None or campaign.best.summary.index != index:
        return ""
    return (
        "The best of many is partly lucky. Shrunk towards the mean of all measured candidates, the language loss to"
        f" expect with new seeds is {reading(Reading.of(found))} nats, against"
        f" {number(campaign.best.summary.language_loss)} as measured."
    )


def _savings(found: findings.Savings) -> str:
    if not found.stopped:
        text = "No training was stopped early."
    else:
        text = (
            f"Early stopping ended {plural(found.stopped, 'candidate')} and saved about"
            f" {duration(found.saved_cpu_s)} of CPU time ({found.saved_share:.0%} of what training would have taken)."
        )
    if not found.audited:
        return f"{text} None was let through to measure how often the rule is wrong."
    return (
        f"{text} {plural(found.audited, 'stop')} let through to measure the rule: {found.wrong} of them ended with a"
        " lower language loss than the reference, so would have been stopped wrongly."
    )


def _css() -> str:
    """The page's own rules and those of coloured code."""
    source, _, _ = _TEMPLATES.get_source(Environment(autoescape=True), "report.css")
    return f"{source}\n{rules()}"


def _reading(value: Reading | None, signed: bool = False) -> str:
    return reading(value, is_signed=signed)


def _by_baseline(against: Sequence[Versus]) -> dict[str, Versus]:
    return {versus.baseline: versus for versus in against}


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, tz=timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
