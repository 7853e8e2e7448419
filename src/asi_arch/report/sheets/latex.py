"""A table for a paper: LaTeX with the rules of booktabs, everything escaped."""

import textwrap
import unicodedata
from collections.abc import Sequence

from asi_arch.report.sheets.sheet import Sheet, shown

_WIDE = 88
"""Characters of \\footnotesize in a line of a paper's page, about."""
_GAP = 2
"""As wide, in characters, is the room between two columns."""
_HEAD = 10
"""Characters that a column's name may always have in a line."""
_TALL = 50
"""Rows that have room on a page."""
_HEADS = 5
"""Rows in whose room a table's head and rules find place."""
_ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\u00b1": r"$\pm$",
    "\u2212": r"$-$",
    "\u2013": "--",
    "\u2264": r"$\leq$",
    "\u2014": "---",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
}
_LACKING = "\u0126\u0127\u0138\u013f\u0140\u0149\u0166\u0167"
"""Latin letters that T1 fonts do not have."""
_GREEK_CAPITALS = frozenset(
    ["gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"]
)
_GREEK = _GREEK_CAPITALS | frozenset(
    ["alpha", "beta", "epsilon", "zeta", "eta", "iota", "kappa", "mu", "nu", "rho", "tau", "chi"]
)
"""Letters with a command of their own; the others look Latin."""


def latex_text(sheet: Sheet) -> str:
    """A floating table with caption and label; needs the packages booktabs, graphicx and (for quotes) T1 fonts.

    What is too wide for a column of text is continued below, its first column repeated, or in further tables where that
    would be too tall for a page.
    """
    cells = [[shown(cell, column) for cell, column in zip(row.cells, sheet.columns, strict=True)] for row in sheet.rows]
    blocks = _blocks(sheet, cells)
    parts = [_tabular(sheet, cells, block) for block in blocks]
    preamble = r"% \usepackage{booktabs,graphicx} \usepackage[T1]{fontenc}"
    title, note = escaped(sheet.title), escaped(sheet.note)
    if len(blocks) * (len(cells) + _HEADS) <= _TALL:
        return "\n".join([preamble, *_float(f"{title}. {note}", sheet.name, parts)]) + "\n"
    floats = [
        _float(f"{title}, part {i} of {len(parts)}. {note}", sheet.name if i == 1 else f"{sheet.name}-{i}", [part])
        for i, part in enumerate(parts, 1)
    ]
    return "\n".join([preamble, *(line for lines in floats for line in lines)]) + "\n"


def _blocks(sheet: Sheet, cells: Sequence[Sequence[str]]) -> list[list[int]]:
    """Columns that have room beside each other, after the first, without those in which nothing is written."""
    widths = [
        max([len(line) for line in _head(cells, i, column.name)] + [len(row[i]) for row in cells]) + _GAP
        for i, column in enumerate(sheet.columns)
    ]
    blocks: list[list[int]] = [[]]
    for i, width in enumerate(widths[1:], 1):
        if cells and not any(row[i] for row in cells):
            continue
        if blocks[-1] and widths[0] + sum(widths[k] for k in blocks[-1]) + width > _WIDE:
            blocks.append([])
        blocks[-1].append(i)
    return [[0, *block] for block in blocks]


def _head(cells: Sequence[Sequence[str]], column: int, name: str) -> list[str]:
    """A column's name, in lines not longer than what stands below it where words allow that."""
    widest = max([len(row[column]) for row in cells], default=0)
    words = name.replace("_", "_ ")  # a line may end behind it
    found = textwrap.wrap(words, max(widest, _HEAD), break_long_words=False, break_on_hyphens=False)
    return [line.replace("_ ", "_") for line in found] or [""]


def _tabular(sheet: Sheet, cells: Sequence[Sequence[str]], block: Sequence[int]) -> list[str]:
    kinds = ["l" if sheet.is_text(i) else "r" for i in block]
    heads = [[escaped(line) for line in _head(cells, i, sheet.columns[i].name)] for i in block]
    head = [_stacked(lines, kind) for lines, kind in zip(heads, kinds, strict=True)]
    return [
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}",
        r"\toprule",
        _line(head),
        r"\midrule",
        *_body(sheet, cells, block),
        r"\bottomrule",
        r"\end{tabular}}",
    ]


def _stacked(lines: Sequence[str], kind: str) -> str:
    return lines[0] if len(lines) == 1 else rf"\shortstack[{kind}]{{" + r" \\ ".join(lines) + "}"


def _float(caption: str, label: str, parts: Sequence[Sequence[str]]) -> list[str]:
    between = [r"\par\medskip"]
    body = [line for i, part in enumerate(parts) for line in ([*between, *part] if i else part)]
    return [
        r"\begin{table}",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}\setlength{\belowcaptionskip}{6pt}",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{label}}}",
        *body,
        r"\end{table}",
    ]


def escaped(text: str) -> str:
    """Printable, and no command of LaTeX; a sign that its usual fonts lack becomes the plainest one like it."""
    return "".join(map(_sign, filter(str.isprintable, " ".join(text.split()))))


def _sign(sign: str) -> str:
    if sign in _ESCAPED or (sign < "\u017f" and sign not in _LACKING):
        return _ESCAPED.get(sign, sign)
    kind, _, letter = unicodedata.name(sign, "").lower().rpartition(" letter ")
    if kind == "greek small" and letter in _GREEK:
        return rf"$\{letter}$"
    if kind == "greek capital" and letter in _GREEK_CAPITALS:
        return rf"$\{letter.capitalize()}$"
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return "".join(_ESCAPED.get(part, part) for part in plain) or "?"


def _body(sheet: Sheet, cells: Sequence[Sequence[str]], block: Sequence[int]) -> list[str]:
    lines: list[str] = []
    for row, before, texts in zip(sheet.rows, (None, *sheet.rows), cells, strict=False):
        if before is not None and before.group != row.group:
            lines.append(r"\midrule")
        lines.append(_line([escaped(texts[i]) for i in block]))
    return lines or [rf"\multicolumn{{{len(block)}}}{{l}}{{{escaped(sheet.missing)}}} \\"]


def _line(cells: list[str]) -> str:
    """A cell that begins with a bracket would be read as an option of the line before."""
    return f"{' & '.join(f'{{{c}}}' if c.startswith(('[', '*')) else c for c in cells)} " + r"\\"
