"""From a design to a proposal: its name, its program, and the case for it against what it came from."""

from typing import NamedTuple

from asi_arch.agents.composer.argument import Origin, argument_for
from asi_arch.agents.composer.design import Design
from asi_arch.agents.composer.rendering import rendered
from asi_arch.agents.composer.wording import name_of
from asi_arch.domain.candidate import Author, Proposal, fingerprint


class Program(NamedTuple):
    """A design as code."""

    name: str
    source: str
    fingerprint: str


def program_of(design: Design) -> Program:
    """The same for equal designs, to the byte."""
    name = name_of(design)
    source = rendered(design, name)
    return Program(name, source, fingerprint(source))


def proposed(design: Design, program: Program, origin: Origin | None, author: Author) -> Proposal:
    """With the composer's argument; without parent and references, which the asker knows."""
    argument = argument_for(design, program.name, origin)
    return Proposal(
        author=author,
        name=program.name,
        motivation=argument.motivation,
        expectation=argument.expectation,
        change=argument.change,
        source=program.source,
        fingerprint=program.fingerprint,
        mechanisms=design.keys,
        design=design.model_dump_json(),
    )
