"""Reading a program before it is trained, as the engine asks for it, and what makes a reviewed proposal of another."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from asi_arch.domain.candidate import Proposal, fingerprint
from asi_arch.domain.errors import StoreError
from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.review import Doubt, Review


class Revision(NamedTuple):
    """An author's answer to doubts."""

    reason: str
    source: str | None
    """The changed program; None where the author keeps it."""


class Checker(Protocol):
    """Reads code against what it is to do. Nothing is decided by it."""

    async def doubts(self, index: int, proposal: Proposal, checks: CheckReport) -> Sequence[Doubt]:
        """What the code of a program that passed `checks` may not keep. Raises `MindError` where nobody could tell."""
        ...


class Reviser(Protocol):
    """Whoever wrote the program."""

    async def revise(self, index: int, proposal: Proposal, doubts: Sequence[Doubt]) -> Revision:
        """The author's decision. Raises `MindError` where there was none."""
        ...


class Reviewers(NamedTuple):
    """Who doubts, and who answers."""

    checker: Checker
    reviser: Reviser


class Version(NamedTuple):
    """A program before and after a change."""

    before: str
    after: str


def reviewed(proposal: Proposal, review: Review, source: str | None = None) -> Proposal:
    """The proposal with its review, and with `source` as its program where the author's revision is taken."""
    review = review.model_copy(update={"repairs": len(proposal.repairs)})
    if source is None:
        return proposal.model_copy(update={"review": review})
    review = review.model_copy(update={"before": proposal.source})
    changes = {"source": source, "fingerprint": fingerprint(source), "design": ""}
    return proposal.model_copy(update={"review": review, **changes})


def revision(proposal: Proposal) -> Version | None:
    """The program that was doubted and its author's revision, taken or not; None where there was none."""
    review = proposal.review
    if review is None or not (review.before or review.refused):
        return None
    later = proposal.repairs[review.repairs :]
    trained = later[0].before if later else proposal.source
    return Version(review.before, trained) if review.before else Version(trained, review.refused)


def as_proposed(proposal: Proposal) -> str:
    """The program before all repairs and before a revision."""
    review = proposal.review
    if review is not None and review.before and review.repairs == 0:
        return review.before
    return proposal.repairs[0].before if proposal.repairs else proposal.source


def repaired_versions(proposal: Proposal) -> list[Version]:
    """Of each repair, oldest first; what the author revised in between belongs to none of them."""
    programs = [*(repair.before for repair in proposal.repairs), proposal.source]
    versions = [Version(before, after) for before, after in pairwise(programs)]
    review = proposal.review
    if review is not None and review.before and review.repairs:
        versions[review.repairs - 1] = versions[review.repairs - 1]._replace(after=review.before)
    return versions


def require_review(index: int, known: Proposal | None, proposal: Proposal, *, is_recorded: bool) -> None:
    """Raises `StoreError` unless `proposal` is `known` with its first review, of an experiment that is not finished."""
    if known is None:
        raise StoreError(f"the store has no proposal {index} that could be reviewed")
    if is_recorded:
        raise StoreError(f"experiment {index} is finished; its program can't be reviewed any more")
    review = proposal.review
    if review is None or known.review is not None:
        raise StoreError(f"proposal {index} has one review, its first, and no other")
    if (review.before or proposal.source) != known.source or proposal.repairs != known.repairs:
        raise StoreError(f"the review of proposal {index} is of another program than the one that is stored")
