"""How well a base finds what it should, on a test set of findings."""

from collections.abc import Iterable
from typing import NamedTuple

from asi_arch.cognition.findings import Finding
from asi_arch.domain.cognition import Cognition

DEPTH = 50
"""Papers down to which the first right one is looked for."""


class Quality(NamedTuple):
    """Means over a test set, each between 0 and 1."""

    findings: int
    recall_at_3: float
    """Share of the right papers among the first three; of three at most, where more than three are right."""
    any_at_3: float
    """Share of the findings with at least one right paper among the first three."""
    mrr: float
    """Mean of 1 / rank of the first right paper; 0 where none is among the first 50."""


def quality(base: Cognition, findings: Iterable[Finding]) -> Quality:
    """Search for every finding. Raises `ValueError` without any."""
    marks = [marks_of(base, finding) for finding in findings]
    if not marks:
        raise ValueError("quality needs at least one finding")
    recall, some, reciprocal = (sum(column) / len(marks) for column in zip(*marks, strict=True))
    return Quality(len(marks), recall, some, reciprocal)


def marks_of(base: Cognition, finding: Finding) -> tuple[float, float, float]:
    """Recall at 3, whether any is among the first 3, reciprocal rank."""
    found = [hit.arxiv for hit in base.near(finding.text, DEPTH)]
    wanted = set(finding.arxiv)
    first_three = len(wanted.intersection(found[:3]))
    rank = next((place for place, arxiv in enumerate(found, start=1) if arxiv in wanted), None)
    return first_three / min(3, len(wanted)), float(first_three > 0), 0.0 if rank is None else 1 / rank
