"""A table for a paper: LaTeX with the rules of booktabs, everything escaped."""

from asi_arch.report.sheets.sheet import Sheet, shown

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
    "\u00b2": r"$^2$",
}


def latex_text(sheet: Sheet) -> str:
    """A floating table with caption and label; needs the packages booktabs, graphicx and (for quotes) T1 fonts."""
    kinds = "".join("l" if sheet.is_text(i) else "r" for i in range(len(sheet.columns)))
    lines = [
        r"% \usepackage{booktabs,graphicx} \usepackage[T1]{fontenc}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(sheet.title)}. {escaped(sheet.note)}}}",
        rf"\label{{tab:{sheet.name}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{kinds}@{{}}}}",
        r"\toprule",
        _line([escaped(column.name) for column in sheet.columns]),
        r"\midrule",
        *_body(sheet),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Printable, and no command of LaTeX."""
    return "".join(_ESCAPED.get(sign, sign) for sign in " ".join(text.split()) if sign.isprintable())


def _body(sheet: Sheet) -> list[str]:
    lines: list[str] = []
    for row, before in zip(sheet.rows, (None, *sheet.rows), strict=False):
        if before is not None and before.group != row.group:
            lines.append(r"\midrule")
        lines.append(_line([escaped(shown(c, column)) for c, column in zip(row.cells, sheet.columns, strict=True)]))
    return lines or [rf"\multicolumn{{{len(sheet.columns)}}}{{l}}{{{escaped(sheet.missing)}}} \\"]


def _line(cells: list[str]) -> str:
    """A cell that begins with a bracket would be read as an option of the line before."""
    return f"{' & '.join(f'{{{c}}}' if c.startswith(('[', '*')) else c for c in cells)} " + r"\\"
