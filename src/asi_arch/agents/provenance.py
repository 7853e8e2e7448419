"""What a design is made of and where that comes from, without a language model: from design, code and records."""

import re
from collections.abc import Sequence

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.design import Design
from asi_arch.agents.recognition import recognised
from asi_arch.agents.vocabulary import plain_name, spoken
from asi_arch.cognition.words import STOP_WORDS, words_of
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.cognition import Entry
from asi_arch.domain.provenance import Background, Component, Element, Namer, Origin

FROM_OUTSIDE = frozenset({Author.BASELINE, Author.IMPORTED, Author.USER})
"""Authors of whose background the campaign knows nothing."""
_FEWEST_WORDS = 2
"""Of a name that a model coined, to be searched for in a text: 'gate' alone is in every entry."""


def components_of(proposal: Proposal) -> tuple[tuple[Component, ...], Namer]:
    """From the design where the composer wrote the code, else by what is recognised in it."""
    if proposal.design:
        design = Design.model_validate_json(proposal.design)
        return tuple(Component(key) for key in design.keys), Namer.DESIGN
    return recognised(proposal.source), Namer.CODE


def traced(components: Sequence[Component], background: Background) -> tuple[Element, ...]:
    """Experience where an experiment that the author was shown has the component, parent first; else cognition where
    a passage that it was given speaks of it; else original.
    """
    return tuple(_element(component, background) for component in components)


def speaks_of(entry: Entry, name: str) -> bool:
    """Whether one sentence of an entry's algorithm or guidance has all words of a component's name, or of its title.

    What came before a paper is in the background, and is not the paper's idea.
    """
    wanted = [words for text in {spoken(name), name} if (words := _stems(text.replace("_", " ")))]
    wanted = [words for words in wanted if len(words) >= _FEWEST_WORDS or name in CATALOGUE]
    sentences = re.split(r"(?<=[.;:])\s+", f"{entry.algorithm}\n{entry.guidance}")
    return any(words <= _stems(sentence) for sentence in sentences for words in wanted)


def _element(component: Component, background: Background) -> Element:
    name, lines = component
    if not background.is_recorded:
        return Element(name=name, lines=lines, origin=None)
    for relative in background.relatives:
        if relative.was_shown and plain_name(name) in map(plain_name, relative.components):
            return Element(name=name, lines=lines, origin=Origin.EXPERIENCE, experiment=relative.index)
    for passage in background.passages:
        if speaks_of(passage.entry, name):
            return Element(name=name, lines=lines, origin=Origin.COGNITION, paper=passage.arxiv)
    return Element(name=name, lines=lines, origin=Origin.ORIGINAL)


def _stems(text: str) -> set[str]:
    """Words that carry meaning, without the ending of a plural."""
    words = [word for word in words_of(text) if word not in STOP_WORDS]
    return {word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words}
