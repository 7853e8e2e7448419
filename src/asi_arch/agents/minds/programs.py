"""Programs as those read them who explain and mark: without comments and docstrings, which may be addressed to them."""

import ast
import difflib


def bare(source: str) -> str:
    """The program without comments, docstrings and layout; empty for a text that is no Python."""
    try:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                _drop_docstring(node)
        return ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def bare_difference(source: str, before: str) -> str:
    """What changed between two bare programs: lines with - and +, one around each place; empty for no change."""
    lines = difflib.unified_diff(bare(before).splitlines(), bare(source).splitlines(), lineterm="", n=1)
    return "\n".join("..." if line.startswith("@@ ") else line for line in list(lines)[2:])


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            node.body = rest or [ast.Pass()]
        case _:
            pass
