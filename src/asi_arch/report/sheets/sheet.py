"""A table as a value, and as CSV that a spreadsheet reads as numbers and never as formulas."""

import csv
import io
import math
from typing import NamedTuple

from asi_arch.domain.verdict import Interval
from asi_arch.report.words import MISSING, Reading, number, reading

Cell = str | int | float | Reading | Interval | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins with one of these may be taken for a formula."""


class Column(NamedTuple):
    """A column of one kind of cells."""

    name: str
    digits: int = 3
    """Behind the point, where it is shown to people."""
    is_signed: bool = False
    """Whether a difference, shown with its sign."""
    is_share: bool = False
    """Whether shown in per cent."""
    is_name: bool = False
    """Whether its numbers name things and are not amounts."""


class Row(NamedTuple):
    """Cells in the order of the columns; a line is drawn between groups."""

    cells: tuple[Cell, ...]
    group: int = 0


class Sheet(NamedTuple):
    """A table with what is needed to understand it."""

    name: str
    """Of its files, e.g. 'table-1-comparison'."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str
    """How it is read."""
    missing: str = ""
    """Why it has no rows; empty where it has."""

    def is_text(self, column: int) -> bool:
        """Whether the column holds words."""
        return any(isinstance(row.cells[column], str) for row in self.rows)


def csv_text(sheet: Sheet) -> str:
    """Numbers in full; an interval takes two columns more, '... low' and '... high'. Missing cells are empty."""
    spans = [_has_interval(sheet, i) for i in range(len(sheet.columns))]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    header: list[str] = []
    for column, spanned in zip(sheet.columns, spans, strict=True):
        header += [column.name, f"{column.name} low", f"{column.name} high"] if spanned else [column.name]
    writer.writerow(map(harmless, header))
    for row in sheet.rows:
        values: list[str] = []
        for cell, spanned in zip(row.cells, spans, strict=True):
            values += _values(cell) if spanned else _values(cell)[:1]
        writer.writerow(values)
    return buffer.getvalue()


def shown(cell: Cell, column: Column) -> str:
    """For people: '1.607 ± 0.014', '44.8% [40.1, 49.6]', a dash where it is missing."""
    match cell:
        case None:
            return MISSING
        case str():
            return cell
        case int():
            return str(cell) if column.is_name else f"{cell:,}"
        case Reading():
            return reading(cell, digits=column.digits, is_signed=column.is_signed)
        case Interval():
            return _interval(cell, column)
        case float():
            if not math.isfinite(cell):
                return MISSING
            if column.is_signed:
                return reading(Reading(cell), digits=column.digits, is_signed=True)
            return f"{cell:.1%}" if column.is_share else number(cell, column.digits)


def harmless(text: str) -> str:
    """The text with a quote before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _interval(cell: Interval, column: Column) -> str:
    scale, unit = (100.0, "%") if column.is_share else (1.0, "")
    digits = 1 if column.is_share else column.digits
    estimate, low, high = (f"{scale * value:.{digits}f}" for value in (cell.estimate, cell.low, cell.high))
    return f"{estimate}{unit} [{low}, {high}]"


def _has_interval(sheet: Sheet, column: int) -> bool:
    cells = [row.cells[column] for row in sheet.rows]
    return any(isinstance(c, Interval) or (isinstance(c, Reading) and c.margin is not None) for c in cells)


def _values(cell: Cell) -> list[str]:
    """The value and both ends of its interval."""
    match cell:
        case None:
            return ["", "", ""]
        case str():
            return [harmless(cell), "", ""]
        case Interval():
            return [_number(cell.estimate), _number(cell.low), _number(cell.high)]
        case Reading(estimate=estimate, margin=None):
            return [_number(estimate), "", ""]
        case Reading(estimate=estimate, margin=margin):
            reach = margin or 0.0
            return [_number(estimate), _number(estimate - reach), _number(estimate + reach)]
        case _:
            return [_number(cell), "", ""]


def _number(value: float) -> str:
    """Whole numbers whole, others with nine digits; empty where not finite."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.9g}" if math.isfinite(value) else ""
