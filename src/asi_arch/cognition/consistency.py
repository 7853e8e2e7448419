"""What is wrong with a base as a whole: bad files, papers and symptoms that are there twice, dead ids."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from asi_arch.cognition.corpus import PACKAGED, paper_files, path_of, read_paper
from asi_arch.cognition.findings import Finding
from asi_arch.domain.cognition import OWN_PREFIX, Entry, Paper
from asi_arch.domain.errors import PaperError

TOO_ALIKE = 0.7
"""Share of their words that two triggers may have in common."""
_MIN_TRIGGER_WORDS = 12


class Inspection(NamedTuple):
    """What there is, and every complaint about it."""

    papers: tuple[Paper, ...]
    complaints: tuple[str, ...]

    @property
    def entries(self) -> int:
        """Number of entries."""
        return sum(len(paper.entries) for paper in self.papers)


def inspect(folders: Iterable[Path], findings: Iterable[Finding] = ()) -> Inspection:
    """Read every file, however many are bad, and compare all with all.

    An id is dead that a finding of the test set names and no paper has, or that arXiv can't have given out in the
    year of its paper. Nothing is asked over the network.
    """
    papers: list[Paper] = []
    complaints: list[str] = []
    places: dict[str, Path] = {}
    for path in (path for folder in folders for path in paper_files(folder)):
        try:
            paper = read_paper(path)
        except PaperError as error:
            complaints.append(str(error))
            continue
        complaints += _complaints_about(paper, path, places)
        papers.append(paper)
    complaints += _twins([entry for paper in papers for entry in paper.entries])
    complaints += _dead(findings, {paper.arxiv for paper in papers})
    return Inspection(tuple(papers), tuple(complaints))


def refuse_duplicate(paper: Paper, there: Iterable[Paper]) -> None:
    """Raise `PaperError` where the paper is in the base, or one of its triggers says what another says."""
    known = list(there)
    if any(other.arxiv == paper.arxiv for other in known):
        raise PaperError(f"{paper.arxiv} is in the base already; `asi-arch cognition show {paper.arxiv}` prints it")
    theirs = [entry for other in known for entry in other.entries]
    for complaint in _twins([*theirs, *paper.entries], new=frozenset(entry.id for entry in paper.entries)):
        raise PaperError(f"{complaint}; say what is particular to this idea")


def _complaints_about(paper: Paper, path: Path, places: dict[str, Path]) -> Iterator[str]:
    """What is wrong with one file, given those before it; notes where its id is."""
    if path.name != path_of(paper.arxiv, path.parent).name:
        yield f"{path}: the file of {paper.arxiv} must be named {path_of(paper.arxiv, path.parent).name}"
    if paper.arxiv in places:
        yield f"{path}: {paper.arxiv} is in {places[paper.arxiv]} as well"
    places.setdefault(paper.arxiv, path)
    if path.parent == PACKAGED and paper.arxiv.startswith(OWN_PREFIX):
        yield f"{path}: papers that ship must be on arXiv, got id {paper.arxiv}"
    year = re.match(r"(\d\d)\d\d\.", paper.arxiv)
    if year and abs(2000 + int(year[1]) - paper.year) > 1:
        yield f"{path}: id {paper.arxiv} was given out in 20{year[1]}, but the year is {paper.year}"
    for entry in paper.entries:
        if len(_words(entry.trigger)) < _MIN_TRIGGER_WORDS:
            yield f"{path}: the trigger of {entry.id} has fewer than {_MIN_TRIGGER_WORDS} different words"


def _twins(entries: list[Entry], new: frozenset[str] | None = None) -> Iterator[str]:
    """Pairs of triggers that are too much alike; with `new`, only those with one of these ids."""
    words = [(entry.id, _words(entry.trigger)) for entry in entries]
    for (one, first), (other, second) in combinations(words, 2):
        if new is not None and one not in new and other not in new:
            continue
        shared = len(first & second) / max(1, len(first | second))
        if shared >= TOO_ALIKE:
            yield f"the triggers of {one} and {other} have {shared:.0%} of their words in common"


def _dead(findings: Iterable[Finding], known: set[str]) -> Iterator[str]:
    for place, finding in enumerate(findings, start=1):
        for arxiv in finding.arxiv:
            if arxiv not in known:
                yield f"finding {place} of the test set names {arxiv}, which no paper of the base has"


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))
