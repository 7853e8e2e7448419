"""The account as Markdown: words of others are escaped, so that none of them becomes a link, an image or HTML."""

import re

from asi_arch.report.account.account import Account, Block, Points, Section
from asi_arch.report.sheets.sheet import Sheet, shown

_MARKS = re.compile(r"([\\`*\[\]<>|~!])|(?<![0-9A-Za-z])(_)|(_)(?![0-9A-Za-z])")
_OPENINGS = re.compile(r"^(\s*)(#|\+|-|=|\d+[.)])")


def markdown(account: Account) -> str:
    """With a heading for each section, and tables as pipes."""
    parts = [f"# {_escaped(account.title)}", *(part for section in account.sections for part in _section(section))]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    return [f"## {_escaped(section.title)}", *map(_block, section.blocks)]


def _block(block: Block) -> str:
    if isinstance(block, str):
        return _paragraph(block)
    if isinstance(block, Points):
        return "\n".join(f"- {_paragraph(item)}" for item in block.items)
    return _table(block)


def _table(sheet: Sheet) -> str:
    rule = ["---" if sheet.is_text(i) else "---:" for i in range(len(sheet.columns))]
    lines = [_row([column.name for column in sheet.columns]), f"| {' | '.join(rule)} |"]
    lines += [
        _row([shown(c, column) for c, column in zip(row.cells, sheet.columns, strict=True)]) for row in sheet.rows
    ]
    return f"**{_escaped(sheet.title)}.** {_escaped(sheet.note)}\n\n" + "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _paragraph(text: str) -> str:
    """A paragraph that does not begin like a heading or a list."""
    return _OPENINGS.sub(lambda m: f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", _escaped(text))


def _escaped(text: str) -> str:
    """On one line and printable; underscores within a word are no marks."""
    plain = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return _MARKS.sub(lambda m: f"\\{m[0]}", plain).replace("&", "&amp;")
