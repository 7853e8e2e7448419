"""The Extractor: from the text of a paper to entries of the cognition base, by a language model."""

import re

from pydantic import BaseModel, Field

from asi_arch.agents.minds.prompting import prompt
from asi_arch.cognition.reading import MAX_CHARS, Document
from asi_arch.domain.cognition import MAX_PART_CHARS, MAX_TRIGGER_CHARS, OWN_PREFIX, Entry, Paper, Theme
from asi_arch.domain.minds import Mind, Question, Role

_TRIGGER_WORDS = (20, 120)
_MIN_PART_WORDS = 15


class ExtractedEntry(BaseModel):
    """One idea of the paper, in your own words."""

    trigger: str = Field(max_length=MAX_TRIGGER_CHARS, description="The symptom that the idea cures, 30 to 70 words.")
    background: str = Field(max_length=MAX_PART_CHARS, description="What came before, and its limits.")
    algorithm: str = Field(max_length=MAX_PART_CHARS, description="The mechanism with its formula and its cost.")
    guidance: str = Field(max_length=MAX_PART_CHARS, description="How to build it in a causal PyTorch mixer.")


class Extracted(BaseModel):
    """What a model found in a paper."""

    name: str = Field(min_length=1, max_length=120, description="The short name by which the method is known.")
    year: int = Field(ge=1950, le=2100, description="Year of publication.")
    theme: Theme
    entries: list[ExtractedEntry] = Field(min_length=1, max_length=3)


async def extract(mind: Mind, document: Document) -> Paper:
    """Ask for the entries of a paper. Raises `MindError` where no usable answer comes."""
    return paper_of(document, await mind.ask(question_about(document)))


def question_about(document: Document) -> Question[Extracted]:
    """The paper's text, delimited, and what is wanted."""
    asked = prompt(
        "extractor",
        themes=[theme.value for theme in Theme],
        file=document.file,
        text=document.text,
        most=MAX_CHARS,
        is_cut=document.is_cut,
    )
    return Question(
        role=Role.EXTRACTOR,
        prompt=asked,
        answer=Extracted,
        temperature=0.2,
        complaint=complaint_about,
        subject=document.arxiv,
    )


def complaint_about(answer: Extracted) -> str | None:
    """What the model should mend; None where nothing needs it."""
    for number, entry in enumerate(answer.entries, start=1):
        words = len(entry.trigger.split())
        if not _TRIGGER_WORDS[0] <= words <= _TRIGGER_WORDS[1]:
            return f"trigger of entry {number} has {words} words; describe the symptom in {_told(_TRIGGER_WORDS)} words"
        if re.search(rf"\b{re.escape(answer.name)}\b", entry.trigger, re.IGNORECASE):
            return f"trigger of entry {number} names {answer.name}; describe the symptom as seen before it is known"
        if "=" not in entry.algorithm:
            return f"algorithm of entry {number} has no formula; give the update in plain text, with an equals sign"
        for part in ("background", "guidance"):
            if len(getattr(entry, part).split()) < _MIN_PART_WORDS:
                return f"{part} of entry {number} must have at least {_MIN_PART_WORDS} words"
    if len({entry.trigger.strip().lower() for entry in answer.entries}) < len(answer.entries):
        return "two entries have the same trigger; leave one out, or say what is particular to each"
    return None


def paper_of(document: Document, answer: Extracted) -> Paper:
    """The answer under the document's id; an arXiv id knows its year better than a model does."""
    entries = tuple(
        Entry(id=f"{document.arxiv}-{number}", **entry.model_dump())
        for number, entry in enumerate(answer.entries, start=1)
    )
    return Paper(
        arxiv=document.arxiv,
        year=_year_of(document.arxiv) or answer.year,
        name=" ".join(answer.name.split()),
        theme=answer.theme,
        entries=entries,
    )


def _year_of(arxiv: str) -> int | None:
    if arxiv.startswith(OWN_PREFIX) or "/" in arxiv:
        return None
    return 2000 + int(arxiv[:2])


def _told(bounds: tuple[int, int]) -> str:
    return f"{bounds[0]} to {bounds[1]}"
