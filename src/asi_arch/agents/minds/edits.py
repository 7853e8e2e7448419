"""Edits to a program as search/replace pairs: applied exactly or refused with the place that was probably meant."""

import ast
import difflib
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.domain.candidate import fingerprint

LEAST_LIMIT = 24
"""Changed lines that are always allowed in a small change."""
SHARE_LIMIT = 0.3
"""Of the program's lines that may change, where that is more."""
_SHOWN = 12
"""Lines of the nearest place in a refusal."""


class Edit(BaseModel):
    """Lines of the program, and what takes their place."""

    model_config = ConfigDict(extra="forbid")

    search: Annotated[str, Field(min_length=1)]
    """Whole lines as they stand in the program, enough of them to occur only once."""
    replace: str


class EditRefused(ValueError):
    """An edit that does not fit the program exactly."""


def edited(source: str, edits: Sequence[Edit]) -> str:
    """The program after all edits, one after another. Raises `EditRefused` and changes nothing otherwise."""
    for number, edit in enumerate(edits, start=1):
        search = edit.search.strip("\n")
        count = source.count(search) if search else 0
        if count != 1:
            raise EditRefused(_refusal(source, search, number, count))
        source = source.replace(search, edit.replace.strip("\n"))
    return source


def changed_lines(before: str, after: str) -> int:
    """Lines that were added or removed."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return sum(line.startswith(("+ ", "- ")) for line in lines)


def most_changed_lines(source: str) -> int:
    """How many lines of this program a small change may touch."""
    return max(LEAST_LIMIT, round(SHARE_LIMIT * len(source.splitlines())))


def small_change_complaint(source: str, edits: Sequence[Edit], advice: str) -> str | None:
    """What is wrong with edits that should be a small change: they don't fit, are too many, lose names, or do nothing.

    `advice` says what to change instead of too much.
    """
    try:
        result = edited(source, edits)
    except EditRefused as refused:
        return str(refused)
    if complaint := syntax_complaint(result):
        return complaint
    if syntax_complaint(source) is None and fingerprint(result) == fingerprint(source):
        return "These edits change nothing but names and comments."
    if (changed := changed_lines(source, result)) > (limit := most_changed_lines(source)):
        return f"These edits change {changed} lines, more than {limit}; {advice}."
    if lost := sorted(_names(source) - _names(result)):
        return f"{', '.join(lost)} must keep its name."
    return None


def syntax_complaint(source: str) -> str | None:
    """Why a text can't be a candidate, with its line; None for one class Mixer with constructor and forward."""
    try:
        fingerprint(source)  # looks through all of it, as everything that reads the program later does
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return f"The program is not Python{line}: {error.msg if isinstance(error, SyntaxError) else error}."
    mixers = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Mixer"]
    if len(mixers) != 1:
        return f"The program must define one class Mixer, but defines {len(mixers)}."
    methods = {node.name for node in mixers[0].body if isinstance(node, ast.FunctionDef)}
    if missing := [name for name in ("__init__", "forward") if name not in methods]:
        return f"The class Mixer lacks {' and '.join(missing)}."
    return None


def _names(source: str) -> set[str]:
    """Of the classes of a program and their methods; none where it is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = [f"{c.name}.{f.name}" for c in classes for f in c.body if isinstance(f, ast.FunctionDef)]
    return {*(node.name for node in classes), *methods}


def _refusal(source: str, search: str, number: int, count: int) -> str:
    if not search:
        return f"Edit {number} searches for nothing; give whole lines of the program."
    if count > 1:
        return f"What edit {number} searches for occurs {count} times; take in more lines around it."
    return (
        f"What edit {number} searches for is not in the program, to the letter. The nearest place is:\n"
        f"{_nearest(source.splitlines(), search.splitlines())}"
    )


def _nearest(lines: list[str], wanted: list[str]) -> str:
    """As many lines as were searched for, from where they are most alike."""
    size = min(len(wanted), len(lines))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2("\n".join(wanted))

    def likeness(start: int) -> float:
        matcher.set_seq1("\n".join(lines[start : start + size]))
        return matcher.quick_ratio()

    best = max(range(len(lines) - size + 1), key=likeness, default=0)
    return "\n".join(lines[best : best + min(size, _SHOWN)])
