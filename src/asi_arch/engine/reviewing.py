"""Reading before training: a program that passed its checks is read against its promise, and its author answers.

Nothing is decided by the reader. What comes of it is stored before the training begins, so that a campaign that is
taken up again asks nobody twice.
"""

from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.minds import MindError
from asi_arch.domain.outcome import CheckReport, RunKey, Severity
from asi_arch.domain.profile import StageName
from asi_arch.domain.review import Doubt, Review, ReviewEnd
from asi_arch.domain.revisions import Reviewers, reviewed
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import Said, StageChanged

_TOLD = {
    ReviewEnd.UNREAD: "nobody could read its code against its promise: {reason}; it is trained as it is",
    ReviewEnd.CLEAR: "its code was read and keeps its promise",
    ReviewEnd.NOTED: "{doubts} noted about its code; none asks for a change",
    ReviewEnd.SILENT: "{doubts} about its code, and no answer from its author: {reason}; it is trained as it is",
    ReviewEnd.STANDS: "{doubts} about its code; its author keeps it: {reason}",
    ReviewEnd.REVISED: "{doubts} about its code; its author revised it: {reason}",
    ReviewEnd.REFUSED: "{doubts} about its code; the revision is not taken: {refusal}",
}


class Checked(NamedTuple):
    """A program and what the executed checks say of it."""

    proposal: Proposal
    checks: CheckReport
    check_cpu_s: float
    """Of all its checks, a revision's included."""


async def read_through(bench: Bench, index: int, checked: Checked) -> Checked:
    """What is trained: the program as it passed its checks, or its author's revision that passed them too.

    Free code of a mind is read once, before any training of it; nothing else is.
    """
    proposal = checked.proposal
    reviewers = bench.reviewers
    if reviewers is None or proposal.author is not Author.MODEL or proposal.review is not None:
        return checked
    if _is_begun(bench, proposal):
        return checked
    bench.listen(StageChanged(index, "reading"))
    try:
        doubts = tuple(await reviewers.checker.doubts(index, proposal, checked.checks))
    except MindError as error:
        return _kept(bench, index, checked, Review(end=ReviewEnd.UNREAD, reason=str(error)))
    if not any(doubt.should_change for doubt in doubts):
        end = ReviewEnd.NOTED if doubts else ReviewEnd.CLEAR
        return _kept(bench, index, checked, Review(end=end, doubts=doubts))
    return await _answered(bench, index, checked, doubts, reviewers)


async def _answered(
    bench: Bench, index: int, checked: Checked, doubts: Sequence[Doubt], reviewers: Reviewers
) -> Checked:
    """The author decides; a revision that does not pass every check leaves the program as it was."""
    proposal = checked.proposal
    found = Review(end=ReviewEnd.STANDS, doubts=tuple(doubts))
    try:
        revision = await reviewers.reviser.revise(index, proposal, doubts)
    except MindError as error:
        return _kept(bench, index, checked, _ended(found, ReviewEnd.SILENT, reason=str(error)))
    found = _ended(found, ReviewEnd.STANDS, reason=revision.reason)
    if revision.source is None:
        return _kept(bench, index, checked, found)
    candidate = reviewed(proposal, _ended(found, ReviewEnd.REVISED), revision.source)
    refused = _ended(found, ReviewEnd.REFUSED, refused=revision.source)
    if bench.store.fingerprints().get(candidate.fingerprint, index) != index:
        told = "it leads to a program that was tried before"
        return _kept(bench, index, checked, refused.model_copy(update={"refusal": told}))
    bench.listen(StageChanged(index, "checking"))
    checks = await bench.lab.check(revision.source, proposal.adapter)
    checked = checked._replace(check_cpu_s=checked.check_cpu_s + checks.cpu_s)
    if (failure := _first_error(checks)) is not None:
        return _kept(bench, index, checked, refused.model_copy(update={"refusal": failure}))
    return _stored(bench, index, checked._replace(proposal=candidate, checks=checks))


def _kept(bench: Bench, index: int, checked: Checked, review: Review) -> Checked:
    """The program as it is, with its review."""
    return _stored(bench, index, checked._replace(proposal=reviewed(checked.proposal, review)))


def _stored(bench: Bench, index: int, checked: Checked) -> Checked:
    bench.store.review(index, checked.proposal)
    bench.listen(Said(f"#{index}: {_sentence(checked.proposal)}"))
    return checked


def _ended(review: Review, end: ReviewEnd, **more: str) -> Review:
    return review.model_copy(update={"end": end, **more})


def _sentence(proposal: Proposal) -> str:
    review = proposal.review
    assert review is not None, "told after it was reviewed"
    count = len(review.doubts)
    doubts = "1 doubt" if count == 1 else f"{count} doubts"
    return _TOLD[review.end].format(doubts=doubts, reason=review.reason, refusal=review.refusal)


def _first_error(checks: CheckReport) -> str | None:
    return next((f"{f.check}: {f.message}" for f in checks.findings if f.severity is Severity.ERROR), None)


def _is_begun(bench: Bench, proposal: Proposal) -> bool:
    """Whether a training of this very program is stored."""
    campaign = bench.campaign
    keys = (
        RunKey(sha=proposal.sha, protocol=campaign.protocol, stage=stage, seed=seed)
        for stage in StageName
        for seed in campaign.profile.seeds
    )
    return any(bench.store.run(key) is not None for key in keys)
