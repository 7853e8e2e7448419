"""What a program is made of, as a set that is cheap to compare: node types and library names in runs of three.

Names that the program itself chose do not count, nor do comments and docstrings. A set is a whole number whose bits
are hashes of its members, so that two of them are compared in a fraction of a microsecond.
"""

import ast
from functools import lru_cache
from zlib import crc32

_BITS = 4096
_RUN = 3
_REMEMBERED = 20_000


@lru_cache(maxsize=_REMEMBERED)
def code_features(source: str) -> int:
    """The bit set of a program. A text that is not Python has no features."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return 0
    words: list[str] = []
    _collect(tree, words)
    runs = {" ".join(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}
    bits = 0
    for run in runs:
        bits |= 1 << crc32(run.encode()) % _BITS
    return bits


def similarity(one: int, other: int) -> float:
    """Jaccard's index of two bit sets: shared members over all members; 1 for two empty sets."""
    union = (one | other).bit_count()
    return (one & other).bit_count() / union if union else 1.0


def _collect(node: ast.AST, words: list[str]) -> None:
    """Append node types in reading order, with library names and constants where they say what is computed."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return
    words.append(_word(node))
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr_context):
            _collect(child, words)


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id != "self":
        return f".{node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return f"{node.func.id}()"
    if isinstance(node, ast.Constant):
        return repr(node.value)[:20]
    return type(node).__name__
