"""What the page says, put into its template. All text is escaped; only pygments' own markup passes as it is."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from asi_arch.domain.verdict import Comparison, Verdict
from asi_arch.report import findings
from asi_arch.report.best_design import Chosen, best_design
from asi_arch.report.digest import Digest
from asi_arch.report.headline import headline
from asi_arch.report.highlight import code, rules
from asi_arch.report.method import glossary, method, question, threats
from asi_arch.report.origins import note, origins, share_text
from asi_arch.report.pictures import Picture
from asi_arch.report.savings import in_full, savings
from asi_arch.report.tables import Table, Versus
from asi_arch.report.words import MISSING, OUTCOMES, Reading, duration, number, plural, reading
from asi_arch.stats.promotion import DISCOVERY_Q
from asi_arch.stats.wording import is_loss

_TEMPLATES = PackageLoader("asi_arch.report", "templates")


def render(campaign: Digest, table: Table, pictures: Sequence[Picture], *, chosen: Chosen | None, at: float) -> str:
    """The page as HTML; `at` is the Unix time of writing."""
    environment = Environment(loader=_TEMPLATES, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    filters = cast(dict[str, Any], environment.filters)
    filters |= {"number": number, "reading": _reading, "by_baseline": _by_baseline, "share": share_text}
    profile, found = campaign.campaign.profile, origins(campaign)
    return environment.get_template("report.html.j2").render(
        title=f"Campaign report: {profile.name}",
        subtitle=Markup("{}. Written {}; campaign begun {}.").format(
            profile.description, _date(at), _date(campaign.campaign.created_at)
        ),
        css=Markup(_css()),
        headline=headline(campaign, table),
        tiles=_tiles(campaign),
        question=question(campaign),
        budget=_budget(campaign),
        table=table,
        table_note=_table_note(campaign, table),
        glossary=glossary(campaign),
        verdicts=_verdicts(campaign),
        vault_looks=_vault_looks(campaign),
        reference_name=campaign.yardstick.reference,
        discovery_q=DISCOVERY_Q,
        figures={p.name: {"data": base64.b64encode(p.png).decode(), **p._asdict()} for p in pictures},
        best=best_design(campaign, chosen) if chosen else None,
        failures=[f._replace(kind=OUTCOMES[f.kind]) for f in findings.failures(campaign)],
        nothing_failed="Every candidate was measured." if campaign.candidates else "There was no candidate yet.",
        savings=_early_stop(campaign),
        origins=found,
        origins_note=note(found) if found else "",
        method=method(campaign),
        threats=threats(campaign),
        profile=code(json.dumps(profile.model_dump(mode="json"), indent=2), "json"),
        profile_hash=profile.profile_hash[:12],
        footer=f"asi-arch {campaign.campaign.version}, protocol {campaign.campaign.protocol[:12]}",
    )


def _tiles(campaign: Digest) -> list[tuple[str, str]]:
    """The campaign in numbers. The lowest loss is that of candidates which recall enough to have a fitness."""
    losses = [x.summary.language_loss for x in campaign.candidates if x.summary.fitness is not None]
    baselines = [x.summary.language_loss for x in campaign.baselines if x.summary.is_measured]
    measured = sum(line.summary.is_measured for line in campaign.candidates)
    return [
        ("candidates", f"{len(campaign.candidates):,}"),
        ("measured", f"{measured:,}"),
        ("with a fitness", f"{len(losses):,}"),
        ("verified", f"{len({verdict.sha for verdict in campaign.verdicts}):,}"),
        ("lowest loss", number(min((x for x in losses if x is not None), default=None))),
        ("lowest baseline", number(min((x for x in baselines if x is not None), default=None))),
        ("CPU time", duration(sum(line.cost.cpu_s for line in campaign.lines))),
    ]


def _budget(campaign: Digest) -> Markup:
    if not campaign.lines:
        return Markup("No experiment is finished yet.")
    return Markup("{} ({} and {}) took {} of CPU time, from {} to {}.").format(
        plural(len(campaign.lines), "experiment"),
        plural(len(campaign.baselines), "baseline"),
        plural(len(campaign.candidates), "candidate"),
        duration(sum(line.cost.cpu_s for line in campaign.lines)),
        _date(campaign.campaign.created_at),
        _date(max(line.finished_at for line in campaign.lines)),
    )


def _table_note(campaign: Digest, table: Table) -> str:
    if table.language_noise is None:
        noise = "No intervals: the noise between seeds is known only when a model was trained with two seeds."
    else:
        noise = (
            "± is a 95% interval from the noise between seeds, pooled over the models of this table"
            f" ({table.language_noise.std:.3f} nats, {plural(table.seeds, 'seed')} each). Coloured differences exceed"
            " it; green is better, orange worse."
        )
    hidden = len(campaign.unscored) - len(table.unscored)
    more = f" {plural(hidden, 'more candidate')} without a fitness left out." if hidden else ""
    sizes = [row.model_parameters for row in (*table.rows, *table.unscored) if row.model_parameters]
    size = f" Every model has {_range(min(sizes), max(sizes))} parameters." if sizes else ""
    return (
        f"The fittest candidates, best first; those that have no fitness, with the reason; the baselines.{more} {noise}"
        f"{size} These are the search's own numbers, by which the candidates were chosen: leads, not claims."
    )


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _verdicts(campaign: Digest) -> list[dict[str, Any]]:
    """One row for every comparison of every model's latest verdict."""
    reference = campaign.yardstick.reference
    q = findings.discoveries(campaign.verdicts, reference)
    names = {line.summary.sha: f"{line.summary.name} #{line.summary.index}" for line in reversed(campaign.lines)}

    def is_decisive(comparison: Comparison) -> bool:
        return comparison.baseline == reference and is_loss(comparison.quantity)

    return [
        {
            "name": names.get(verdict.sha, f"source {verdict.sha[:8]}"),
            "quantity": comparison.quantity,
            "baseline": comparison.baseline,
            "spread": _spread(verdict, comparison),
            "is_loss": is_loss(comparison.quantity),
            "difference": Reading.of(comparison.difference),
            "p": f"{comparison.p_value:.2g}",
            "q": f"{q[verdict.sha]:.2g}" if is_decisive(comparison) else MISSING,
            "seeds": len(comparison.seeds),
            "anytime": f"{verdict.anytime_p:.2g}" if is_decisive(comparison) and verdict.anytime_p else MISSING,
            "vault": _in_vault(verdict, comparison),
            "standing": findings.standing(verdict, q[verdict.sha]) if is_decisive(comparison) else "",
        }
        for verdict in {verdict.sha: verdict for verdict in campaign.verdicts}.values()
        for comparison in verdict.comparisons
    ]


def _spread(verdict: Verdict, comparison: Comparison) -> str:
    """How far the baseline's trainings lie apart, by the calibration that the verdict rests on; empty without one."""
    spreads = verdict.calibration.spreads if verdict.calibration else ()
    for spread in spreads:
        if (spread.baseline, spread.quantity) == (comparison.baseline, comparison.quantity):
            return f"± {spread.std:.4f} ({spread.seeds} seeds)"
    return ""


def _in_vault(verdict: Verdict, comparison: Comparison) -> Reading | None:
    """The same difference in the vault; None where it was not opened for it."""
    same = (comparison.baseline, comparison.quantity)
    looked = verdict.vault.comparisons if verdict.vault else ()
    return next((Reading.of(item.difference) for item in looked if (item.baseline, item.quantity) == same), None)


def _vault_looks(campaign: Digest) -> str:
    looks = campaign.vault_looks
    return "once" if looks == 1 else plural(looks, "time") if looks else "never"


def _early_stop(campaign: Digest) -> str:
    watch = campaign.campaign.profile.watch
    if not watch.rungs:
        return "The profile has no early stop: every candidate is trained to the end."
    return in_full(savings(campaign), audit_fraction=watch.audit_fraction, reference=campaign.yardstick.reference)


def _css() -> str:
    """The page's own rules and those of coloured code."""
    source, _, _ = _TEMPLATES.get_source(Environment(autoescape=True), "report.css")
    return f"{source}\n{rules()}"


def _reading(value: Reading | None, signed: bool = False) -> str:
    return reading(value, is_signed=signed)


def _by_baseline(against: Sequence[Versus]) -> dict[str, Versus]:
    return {versus.baseline: versus for versus in against}


def _date(at: float) -> Markup:
    """A date that is not broken at its hyphens."""
    return Markup("<time>{}</time>").format(datetime.fromtimestamp(at, tz=timezone.utc).strftime("%Y-%m-%d %H:%M UTC"))
