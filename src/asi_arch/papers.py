"""Composition root of the cognition base: which retriever searches which papers.

Beside `app`, so that a search need not load what trains and measures.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from asi_arch.cognition.corpus import Corpus, load_corpus
from asi_arch.cognition.embedding import MiniLm, complaint_about_embeddings
from asi_arch.cognition.kinship import Kindred
from asi_arch.cognition.library import Library
from asi_arch.cognition.likeness import TextLikeness
from asi_arch.cognition.ranking import Hybrid, Retriever
from asi_arch.cognition.vectors import ByMeaning, Progress, VectorCache
from asi_arch.cognition.words import ByWords
from asi_arch.settings import Settings

WORDS_WEIGHT = 1.0
"""Of the search by words in the hybrid, against 1 for the search by meaning."""


class Search(str, Enum):
    """The retrievers that there are."""

    WORDS = "bm25"
    MEANING = "embedding"
    HYBRID = "hybrid"


class Reporting(NamedTuple):
    """Whom to tell what."""

    say: Callable[[str], None] = lambda _: None
    """A sentence: search by meaning can't be had."""
    on_progress: Progress = lambda _done, _all: None
    """While entries are encoded that no cache has."""


def searchable() -> tuple[Search, ...]:
    """Those that can be had here."""
    return (Search.WORDS,) if complaint_about_embeddings() else tuple(Search)


def open_library(settings: Settings, reporting: Reporting | None = None) -> Library:
    """All papers under the best search that can be had. Raises `PaperError` for a file that can't be used."""
    told = reporting or Reporting()
    if complaint := complaint_about_embeddings():
        told.say(f"searching by words only, which finds less: {complaint}")
        return library_with(Search.WORDS, load_corpus(settings.papers), settings)
    return library_with(Search.HYBRID, load_corpus(settings.papers), settings, told.on_progress)


def open_likeness() -> TextLikeness:
    """Compares texts by meaning and words where the encoder can be had, else by words alone."""
    return TextLikeness(None if complaint_about_embeddings() else MiniLm())


def library_with(
    search: Search, corpus: Corpus, settings: Settings, on_progress: Progress = lambda _done, _all: None
) -> Library:
    """These papers under one retriever. Raises `UserError` where it needs a package that is not installed."""
    words = ByWords(corpus.papers)
    retriever = words if search is Search.WORDS else _with_meaning(search, words, corpus, settings, on_progress)
    return Library(corpus.papers, Kindred(retriever, corpus.papers, words))


def _with_meaning(
    search: Search, words: ByWords, corpus: Corpus, settings: Settings, on_progress: Progress
) -> Retriever:
    cache = VectorCache(settings.cache / "cognition", on_progress)
    by_meaning = ByMeaning([corpus.packaged, corpus.own], MiniLm(), cache)
    if search is Search.MEANING:
        return by_meaning
    parts = [(by_meaning, 1.0), (words, WORDS_WEIGHT)]
    return Hybrid(parts, sum(len(paper.entries) for paper in corpus.papers))
