"""Numbers in a model's sentences, held against those that it was given: what is not among them is invented.

Covers numbers in digits, and small ones in words before a unit ('three points'). Not covered: 'twice', 'half', 'most',
and a given number that is told of the wrong thing.
"""

import re
from typing import NamedTuple

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNITS = {
    "nats": r"nats?\b",
    "share": r"%|percent\b|(?:percentage )?points?\b",
    "ratio": r"[x\u00d7](?!\w)|times\b|-?fold\b",
    "errors": r"(?:standard )?errors?\b",
    "seeds": r"(?:fresh )?seeds?\b",
}
_UNIT = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items())
_NUMBER = re.compile(
    r"(?<![\w.])(?:(?P<digits>(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)(?:e[-+]?\d+)?)"
    rf"|(?P<word>one(?=[\s-]*standard error)|(?:{'|'.join(_WORDS[1:])})(?=[\s-]*(?:{'|'.join(_UNITS.values())}))))"
    rf"(?:[\s-]*(?:{_UNIT})|(?!\w|\.\d))",
    re.IGNORECASE,
)
"""What goes on in letters without a unit is a name's: DeltaNet-4a47, 2nd."""
_FORMULA = re.compile(
    r"(?<=[A-Za-z)\]}])(?:[-+*/^=]| [-+*/=] )[012](?![\d.,]*\d)|(?<![\w.])[012](?:[+*/^]| [-+*/] )(?=[A-Za-z(])"
)
"""A digit in an expression, such as t-1, T^2, 1 - a, 2 * D: no measurement."""

_AMOUNT = re.compile(
    rf"\s*(?:\b(?:by|of|to|from|at|over|about|around|only|roughly) )*[-+\u00b1~\u2248]?\s*{_NUMBER.pattern}",
    re.IGNORECASE,
)
"""A number with what leads up to it."""
_EMPTY = re.compile(r"\s*\(\W*\)|[:;,]\s*(?=[,;]|\.(?![\d.]))")
"""Brackets, and a stop before another one, that an amount has left behind."""


class Figure(NamedTuple):
    """A number as it is written."""

    value: float
    decimals: int
    """Digits behind the point, to which it may be rounded."""
    unit: str
    """'nats', 'share' (percent or points), 'ratio', 'errors', 'seeds', or empty."""
    told: str
    """As it stands in the text, with its unit."""


def figures(text: str) -> list[Figure]:
    """All numbers of a text but those of its formulas. Signs are dropped: 'lower by 0.02' is '-0.02'."""
    found: list[Figure] = []
    for match in _NUMBER.finditer(_FORMULA.sub(" ", text)):
        digits = (match["digits"] or "").lower().replace(",", "")
        mantissa, _, power = digits.partition("e")
        decimals = len(mantissa.partition(".")[2]) - int(power or 0)
        value = float(digits) if digits else float(1 + _WORDS.index(match["word"].lower()))
        unit = next((name for name in _UNITS if match[name]), "")
        found.append(Figure(value, decimals, unit, match[0].strip()))
    return found


def without_amounts(text: str) -> str:
    """The text in words: 'fell by 0.43 nats (strong evidence)' becomes 'fell (strong evidence)'.

    What has neither a unit nor a decimal point stays: it may be a window's length.
    """

    def kept(match: re.Match[str]) -> str:
        is_amount = any(match[name] for name in _UNITS) or "." in (match["digits"] or "")
        return "" if is_amount else match[0]

    return " ".join(_EMPTY.sub("", _AMOUNT.sub(kept, text)).split())


def invented(text: str, measured: str, written: str = "") -> list[str]:
    """Numbers of `text` that nobody gave, as they stand there.

    Given are those of `measured`, also when rounded, and those of `written` (code) to the digit and without a unit:
    a constant of the program is no measurement.
    """
    given, constants = figures(measured), {figure.value for figure in figures(written)}
    return [
        figure.told
        for figure in figures(text)
        if not any(_agrees(figure, other) for other in given) and (figure.unit or figure.value not in constants)
    ]


def _agrees(stated: Figure, given: Figure) -> bool:
    """Whether one is the other, or a rounding of it that is not zero. A loss is often told without its unit."""
    if stated.unit and stated.unit != (given.unit or "nats"):
        return False
    values = [given.value, given.value / 100] if given.unit == "share" and not stated.unit else [given.value]
    slack = 0.5 * 10.0**-stated.decimals * (1 + 1e-9)
    return any(value == stated.value or (stated.value and abs(stated.value - value) <= slack) for value in values)
