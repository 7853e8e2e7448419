"""Changing a few places of a program's text and leaving the rest, comments and layout included, as it is."""

import ast
from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """Replace what is between two places, (line from 1, column in bytes) each."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    @staticmethod
    def of(node: ast.stmt | ast.expr, text: str) -> "Edit":
        """In the place of a node."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return Edit((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset), text)


def edited(source: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; none may overlap another."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    for edit in sorted(set(edits), reverse=True):
        (first, start), (last, end) = edit.start, edit.end
        lines[first - 1 : last] = [lines[first - 1][:start] + edit.text.encode() + lines[last - 1][end:]]
    return b"".join(lines).decode()


def chain(node: ast.expr) -> tuple[str, ...]:
    """('torch', 'nn') of `torch.nn`; empty for what is no name with attributes."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (inner := chain(node.value)):
        return (*inner, node.attr)
    return ()
