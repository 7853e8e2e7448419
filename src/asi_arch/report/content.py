"""What the page says, put into its template. All text is escaped; only pygments' own markup passes as it is."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from asi_arch.report import findings, imported_words
from asi_arch.report.account.account import Account, Block, Points
from asi_arch.report.best_design import Chosen, best_design
from asi_arch.report.digest import Digest
from asi_arch.report.headline import headline
from asi_arch.report.highlight import code, rules
from asi_arch.report.method import glossary, method, question, threats
from asi_arch.report.origins import note, origins, share_text
from asi_arch.report.pictures import Gallery
from asi_arch.report.savings import in_full, savings
from asi_arch.report.sheets.sheet import Sheet, shown
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.report.tables import Table, Versus
from asi_arch.report.verdict_rows import verdict_rows
from asi_arch.report.words import OUTCOMES, Reading, duration, listed, number, plural, reading
from asi_arch.stats.promotion import DISCOVERY_Q

_TEMPLATES = PackageLoader("asi_arch.report", "templates")


class Material(NamedTuple):
    """What the page is made of."""

    campaign: Digest
    table: Table
    gallery: Gallery
    sheets: Sequence[Sheet]
    account: Account
    chosen: Chosen | None


def render(material: Material, *, at: float) -> str:
    """The page as HTML; `at` is the Unix time of writing."""
    environment = Environment(loader=_TEMPLATES, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    filters = cast(dict[str, Any], environment.filters)
    filters |= {"number": number, "reading": _reading, "by_baseline": _by_baseline, "share": share_text}
    campaign = material.campaign
    profile, found = campaign.campaign.profile, origins(campaign)
    return environment.get_template("report.html.j2").render(
        **_heads(campaign, at),
        **_failed(campaign),
        css=Markup(_css()),
        is_imported=campaign.is_imported,
        headline=headline(campaign, material.table),
        tiles=imported_words.tiles(campaign) if campaign.is_imported else _tiles(campaign),
        question=question(campaign),
        table=material.table,
        table_note=_table_note(campaign, material.table),
        published=[_sheet(sheet) for sheet in material.sheets if sheet.name != "experiments"],
        glossary=glossary(campaign),
        verdicts=verdict_rows(campaign),
        vault_looks=_vault_looks(campaign),
        reference_name=campaign.yardstick.reference,
        discovery_q=DISCOVERY_Q,
        figures={p.name: {"data": base64.b64encode(p.png).decode(), **p._asdict()} for p in material.gallery.pictures},
        not_drawn=_not_drawn(material.gallery),
        best=best_design(campaign, material.chosen) if material.chosen else None,
        origins=found,
        origins_note=note(found) if found else "",
        method=method(campaign),
        threats=threats(campaign),
        account=[(section.title, [_block(block) for block in section.blocks]) for section in material.account.sections],
        profile=code(json.dumps(profile.model_dump(mode="json"), indent=2), "json"),
        profile_hash=profile.profile_hash[:12],
    )


def _heads(campaign: Digest, at: float) -> dict[str, Any]:
    """Title, subtitle, what was spent, and the last line."""
    begun, footer = campaign.campaign.created_at, f"asi-arch {campaign.campaign.version}"
    if campaign.campaign.origin is not None:
        return {
            "title": f"Imported: {campaign.campaign.origin.title}",
            "subtitle": Markup("Written {}; imported {}.").format(_date(at), _date(begun)),
            "budget": imported_words.budget(campaign),
            "footer": footer,
        }
    profile = campaign.campaign.profile
    return {
        "title": f"Campaign report: {profile.name}",
        "subtitle": Markup("{}. Written {}; campaign begun {}.").format(profile.description, _date(at), _date(begun)),
        "budget": _budget(campaign),
        "footer": f"{footer}, protocol {campaign.campaign.protocol[:12]}",
    }


def _failed(campaign: Digest) -> dict[str, Any]:
    """What was not measured, and what the early stop did about it."""
    if campaign.is_imported:
        nothing, saved = f"What failed on the way is {NOT_IMPORTED}.", ""
    else:
        nothing = "Every candidate was measured." if campaign.candidates else "There was no candidate yet."
        saved = _early_stop(campaign)
    failures = [f._replace(kind=OUTCOMES[f.kind]) for f in findings.failures(campaign)]
    return {"failures": failures, "nothing_failed": nothing, "savings": saved}


def _not_drawn(gallery: Gallery) -> list[str]:
    """One sentence for each reason."""
    names: dict[str, list[str]] = {}
    for name, reason in gallery.missing.items():
        names.setdefault(reason, []).append(name)
    return [f"Not drawn: {listed(found)}; {reason}." for reason, found in names.items()]


def _block(block: Block) -> dict[str, Any]:
    """A part of the account for the template."""
    if isinstance(block, str):
        return {"kind": "text", "text": block}
    if isinstance(block, Points):
        return {"kind": "list", "lines": block.items}
    return {"kind": "table", **_sheet(block)}


def _sheet(sheet: Sheet) -> dict[str, Any]:
    is_text = [sheet.is_text(i) for i in range(len(sheet.columns))]
    return {
        "title": sheet.title,
        "note": sheet.note,
        "missing": sheet.missing,
        "columns": list(zip((column.name for column in sheet.columns), is_text, strict=True)),
        "rows": [
            [(shown(cell, c), words) for cell, c, words in zip(row.cells, sheet.columns, is_text, strict=True)]
            for row in sheet.rows
        ],
    }


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
