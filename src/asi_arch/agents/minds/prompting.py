"""Prompts are Jinja files with two blocks, `system` and `user`. A name that is not given is an error, not a blank."""

from asi_arch.agents.templating import environment
from asi_arch.domain.minds import Prompt

MAX_QUOTE = 6000
"""Characters of foreign text (a log, an analysis) that a prompt quotes at most."""
_CUT = "\n[...]\n"


def prompt(name: str, **values: object) -> Prompt:
    """Of the file `prompts/NAME.md.j2`, which may call `quoted`. Raises `UndefinedError` when it asks for more."""
    template = environment("prompts").get_template(f"{name}.md.j2")
    context = template.new_context({**values, "quoted": quoted})
    parts = {block: "".join(template.blocks[block](context)).strip() for block in ("system", "user")}
    return Prompt(**parts)


def quoted(text: str, limit: int = MAX_QUOTE) -> str:
    """Text that is data: its middle cut out where it is long, and nothing in it that would end the quotation."""
    kept = text if len(text) <= limit else text[: limit // 3] + _CUT + text[-(limit - limit // 3 - len(_CUT)) :]
    return "<<<\n" + kept.replace("<<<", "< < <").replace(">>>", "> > >").strip("\n") + "\n>>>"
