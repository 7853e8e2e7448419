"""Components by a language model: it names the mechanisms of a free program, each with lines that show it.

A name without a line that occurs in the program is sent back, so that nothing is named from hearsay. What the model
reads is the program without comments and docstrings. A long one is read in parts.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from asi_arch.agents.minds.programs import bare
from asi_arch.agents.minds.prompting import prompt
from asi_arch.agents.vocabulary import VOCABULARY, plain_name
from asi_arch.domain.minds import BadAnswer, Mind, Question, Role
from asi_arch.domain.provenance import Component

MAX_TOKENS = 1200
MOST_NEW = 3
"""Names of a program that the vocabulary does not have."""
PART_CHARS = 1600
"""Of a program, in one question."""
MOST_PARTS = 8
_FEWEST_LETTERS = 6
"""Of a quotation, white space left out: shorter ones occur everywhere."""

Quote = Annotated[str, Field(min_length=_FEWEST_LETTERS, max_length=300)]


def _known(name: str) -> str:
    if name not in VOCABULARY:
        raise ValueError(f"{name!r} is not in the list; take a name of the list, or put it under 'new'")
    return name


class Named(BaseModel):
    """A mechanism with its evidence."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(_known)]
    lines: Annotated[list[Quote], Field(min_length=1, max_length=3)]


class Coined(BaseModel):
    """A mechanism that the vocabulary does not have."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=3, max_length=40, pattern=r"[A-Za-z]")]
    lines: Annotated[list[Quote], Field(min_length=1, max_length=3)]


class Parts(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="forbid")

    known: Annotated[list[Named], Field(max_length=16)]
    new: Annotated[list[Coined], Field(max_length=MOST_NEW)]


class MindNamer:
    """Names the components of free programs."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def name(self, index: int, source: str) -> tuple[tuple[Component, ...], bool]:
        """In the order of the vocabulary, then up to three new ones; and whether the whole program was read.

        Raises `MindError` where the model gave nothing usable for a part, or named nothing in any of them.
        """
        pieces = pieces_of(bare(source))
        answers = [await self._mind.ask(question(index, pieces, part)) for part in range(min(len(pieces), MOST_PARTS))]
        components = _merged(answers)
        if not components:
            raise BadAnswer("no component was named")
        return components, len(pieces) <= MOST_PARTS


def question(index: int, pieces: Sequence[str], part: int) -> Question[Parts]:
    """Asks for the components that one part of a program shows."""
    code = pieces[part]
    return Question(
        role=Role.COMPONENTS,
        prompt=prompt("components", names=VOCABULARY, most_new=MOST_NEW, part=part + 1, parts=len(pieces), code=code),
        answer=Parts,
        temperature=0.0,
        max_tokens=MAX_TOKENS,
        complaint=lambda answer: complaint_about(answer, code),
        subject=str(index),
    )


def complaint_about(answer: Parts, code: str) -> str | None:
    """What the model should mend: a line that the code does not have, or a new name that is in the list."""
    for named in (*answer.known, *answer.new):
        for line in named.lines:
            if not _occurs(line, code):
                return f"{named.name!r}: the program has no line {line!r}; copy lines to the letter, or leave it out."
    for coined in answer.new:
        if plain_name(coined.name) in VOCABULARY:
            return f"{coined.name!r} is in the list; put it under 'known'."
    return None


def pieces_of(code: str) -> list[str]:
    """The code in pieces of at most `PART_CHARS`, cut between lines; a longer line is a piece of its own."""
    pieces: list[str] = []
    for line in code.splitlines():
        if pieces and len(pieces[-1]) + len(line) < PART_CHARS:
            pieces[-1] += f"\n{line}"
        else:
            pieces.append(line)
    return pieces


def _occurs(line: str, code: str) -> bool:
    """White space aside: a model may wrap or indent what it copies."""
    wanted = "".join(line.split())
    return len(wanted) >= _FEWEST_LETTERS and wanted in "".join(code.split())


def _merged(answers: Iterable[Parts]) -> tuple[Component, ...]:
    known: dict[str, list[str]] = {}
    new: dict[str, list[str]] = {}
    for answer in answers:
        for named in answer.known:
            known.setdefault(named.name, []).extend(_in_one_line(named.lines))
        for coined in answer.new:
            new.setdefault(plain_name(coined.name), []).extend(_in_one_line(coined.lines))
    ordered = [(name, known[name]) for name in VOCABULARY if name in known]
    return tuple(
        Component(name, tuple(dict.fromkeys(lines))[:3]) for name, lines in (*ordered, *list(new.items())[:MOST_NEW])
    )


def _in_one_line(lines: Iterable[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]
