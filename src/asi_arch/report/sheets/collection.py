"""All tables of a campaign, and their files."""

from asi_arch.domain.ports import Store
from asi_arch.domain.provenance import Origin
from asi_arch.report.digest import Digest
from asi_arch.report.origins import note, origins
from asi_arch.report.sheets.comparison import comparison_sheet, gallery_sheet
from asi_arch.report.sheets.experiments import experiments_sheet
from asi_arch.report.sheets.latex import latex_text
from asi_arch.report.sheets.published import published_comparison, published_gallery
from asi_arch.report.sheets.sheet import Column, Row, Sheet, csv_text
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.report.tables import Table

FORMATS = ("csv", "tex")
_LONGEST = 60
"""Rows of a table that is worth a place in a paper."""


def sheets(campaign: Digest, table: Table, store: Store) -> list[Sheet]:
    """Tables 1, 2 and 3, then all experiments."""
    if campaign.is_imported:
        first = [published_comparison(campaign), published_gallery(campaign)]
    else:
        first = [comparison_sheet(campaign, store), gallery_sheet(campaign, table)]
    return [*first, origins_sheet(campaign), experiments_sheet(campaign)]


def files(found: list[Sheet], formats: tuple[str, ...]) -> dict[str, bytes]:
    """By file name: each table that has rows, as CSV and, unless it is a long list, as LaTeX."""
    written: dict[str, bytes] = {}
    for sheet in found:
        if sheet.missing:
            continue
        if "csv" in formats:
            written[f"{sheet.name}.csv"] = csv_text(sheet).encode()
        if "tex" in formats and len(sheet.rows) <= _LONGEST and sheet.name != "experiments":
            written[f"{sheet.name}.tex"] = latex_text(sheet).encode()
    return written


def origins_sheet(campaign: Digest) -> Sheet:
    """Where ideas come from (the paper's Table 3)."""
    found = origins(campaign)
    rows: list[Row] = []
    for group in found.groups if found else ():
        shares = [(share.count, share.share) for share in group.shares] or [(None, None)] * len(Origin)
        rows.append(Row((group.name, group.designs, group.elements, *(cell for pair in shares for cell in pair))))
    pairs = ((f"{origin.value}, elements", origin.value) for origin in Origin)
    missing = NOT_IMPORTED if campaign.is_imported else "not asked yet; 'asi-arch provenance' does it"
    return Sheet(
        name="table-3-origins",
        title="Where ideas come from",
        columns=(
            Column("group"),
            Column("designs"),
            Column("elements"),
            *(Column(name, is_share=True) for pair in pairs for name in pair),
        ),
        rows=tuple(rows),
        note=note(found) if found else "",
        missing="" if rows else missing,
    )
