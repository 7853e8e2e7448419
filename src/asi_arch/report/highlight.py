# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pygments has no types.
"""Source code in colours, for light and dark pages."""

from functools import lru_cache
from typing import cast

from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.data import JsonLexer
from pygments.lexers.diff import DiffLexer
from pygments.lexers.python import PythonLexer

_LEXERS = {"python": PythonLexer, "diff": DiffLexer, "json": JsonLexer}


@lru_cache(maxsize=32)
def code(source: str, language: str) -> Markup:
    """Escaped and coloured HTML; `language` is 'python', 'diff' or 'json'."""
    return Markup(highlight(source, _LEXERS[language](), _formatter("default")))


def rules() -> str:
    """CSS of the colours; the dark ones where the reader prefers them."""
    return f"{palette(is_dark=False)}\n@media (prefers-color-scheme: dark) {{\n{palette(is_dark=True)}\n}}"


def palette(*, is_dark: bool) -> str:
    """The tokens' rules only: ground and margins are the page's own."""
    style = "github-dark" if is_dark else "default"
    lines = cast(str, _formatter(style).get_style_defs(".code")).splitlines()
    return "\n".join(line for line in lines if line.startswith(".code ."))


def _formatter(style: str) -> "HtmlFormatter[str]":
    return HtmlFormatter(style=style, cssclass="code")
