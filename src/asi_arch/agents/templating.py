"""How all templates of this room are read: strictly, so that a name that is not given is an error and not a blank."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment(folder: str) -> Environment:
    """Of the templates in a folder of this room: 'templates' for code, 'prompts' for questions."""
    return Environment(
        loader=PackageLoader("asi_arch.agents", folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
