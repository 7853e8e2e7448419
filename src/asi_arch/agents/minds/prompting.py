"""Prompts are Jinja files with two blocks, `system` and `user`. A name that is not given is an error, not a blank."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from asi_arch.agents.templating import environment
from asi_arch.domain.minds import Prompt

MAX_QUOTE = 6000
"""Characters of foreign text (a log, an analysis) that a prompt quotes at most."""
SMALL_TOKENS: Final = 1800
"""Of a prompt for a small model, at most: on a desktop's cores it reads some 35 tokens in a second."""
_CUT = "\n[...]\n"
_PIECES = re.compile(r"(?:[^\r\n\w]|_)?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+")
"""What the tokenizers of today's models look at one after the other: words with a mark before, digits, marks, space."""
_LETTERS = 6
"""Of a word that are counted as a token."""


def prompt(name: str, **values: object) -> Prompt:
    """Of the file `prompts/NAME.md.j2`, which may call `quoted`. Raises `UndefinedError` when it asks for more."""
    return _prompt(name, 1.0, values)


def fitted(name: str, lists: Mapping[str, Sequence[object]] | None = None, **values: object) -> Prompt:
    """The prompt within `SMALL_TOKENS`: the last items of the longest lists are left out, then quotations shrink."""
    kept = {key: list(items) for key, items in (lists or {}).items()}
    while estimated_tokens(asked := prompt(name, **values, **kept)) > SMALL_TOKENS and any(kept.values()):
        several = [key for key, items in kept.items() if len(items) > 1] or [key for key in kept if kept[key]]
        kept[max(several, key=lambda key: _tokens(str(kept[key])))].pop()
    for tenths in range(9, 0, -1):
        if estimated_tokens(asked) <= SMALL_TOKENS:
            break
        asked = _prompt(name, tenths / 10, {**values, **kept})
    return asked


def estimated_tokens(asked: Prompt) -> int:
    """Of both parts: 0.96 to 1.14 times as many as Qwen2.5 counts in our prompts and in programs."""
    return _tokens(asked.system) + _tokens(asked.user)


def _prompt(name: str, room: float, values: Mapping[str, object]) -> Prompt:
    def quote(text: str, limit: int = MAX_QUOTE) -> str:
        return quoted(text, int(limit * room))

    template = environment("prompts").get_template(f"{name}.md.j2")
    context = template.new_context({**values, "quoted": quote})
    parts = {block: "".join(template.blocks[block](context)).strip() for block in ("system", "user")}
    return Prompt(**parts)


def _tokens(text: str) -> int:
    pieces = _PIECES.findall(text)
    return sum(1 + (len(piece) - 2) // _LETTERS if piece[-1].isalpha() else 1 for piece in pieces)


def quoted(text: str, limit: int = MAX_QUOTE) -> str:
    """Text that is data: its middle cut out where it is long, and nothing in it that would end the quotation."""
    kept = text if len(text) <= limit else text[: limit // 3] + _CUT + text[-(limit - limit // 3 - len(_CUT)) :]
    return "<<<\n" + kept.replace("<<<", "< < <").replace(">>>", "> > >").strip("\n") + "\n>>>"
