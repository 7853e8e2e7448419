"""Prompts are Jinja files with two blocks, `system` and `user`. A name that is not given is an error, not a blank."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from asi_arch.domain.minds import Prompt

MAX_QUOTE = 6000
"""Characters of foreign text (a log, an analysis) that a prompt quotes at most."""
_CUT = "\n[...]\n"


def prompt(name: str, **values: object) -> Prompt:
    """The prompt of the file `prompts/NAME.md.j2`. Raises `UndefinedError` when the file asks for more."""
    template = _environment().get_template(f"{name}.md.j2")
    context = template.new_context(values)
    parts = {block: "".join(template.blocks[block](context)).strip() for block in ("system", "user")}
    return Prompt(**parts)


def quoted(text: str, limit: int = MAX_QUOTE) -> str:
    """Text that is data: its middle cut out where it is long, and nothing in it that would end the quotation."""
    kept = text if len(text) <= limit else text[: limit // 3] + _CUT + text[-(limit - limit // 3 - len(_CUT)) :]
    return "<<<\n" + kept.replace("<<<", "< < <").replace(">>>", "> > >").strip("\n") + "\n>>>"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("asi_arch.agents", "prompts"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["quoted"] = quoted
    return environment
