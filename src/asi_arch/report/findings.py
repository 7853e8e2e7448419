"""What may be said about a campaign: what was verified, what luck did, what was not measured and why."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.candidate import Author
from asi_arch.domain.outcome import Crashed, Diverged, Leaking, Rejected, StoppedEarly, Suspicious, TimedOut
from asi_arch.domain.verdict import Comparison, Interval, Verdict
from asi_arch.report.digest import Digest, Line
from asi_arch.report.words import listed, outcome_sentence, plural
from asi_arch.stats.promotion import DISCOVERY_Q, entrant_q_values, entrants
from asi_arch.stats.shrinkage import shrunken
from asi_arch.stats.wording import is_better, is_loss, promotion_text, q_text

_MADE = {
    Author.COMPOSER: "composed",
    Author.DESIGNER: "chosen by a model and composed",
    Author.MODEL: "written by a mind",
    Author.USER: "by the user",
}


class Failure(NamedTuple):
    """Candidates that failed in the same way."""

    kind: str
    where: str
    times: int
    example: int
    reason: str


class Mending(NamedTuple):
    """What repairs were worth."""

    repairs: int
    programs: int
    """That failed and got at least one."""
    saved: int
    """Of these: measured in the end."""


def mending(campaign: Digest) -> Mending:
    """Of all candidates."""
    mended = [line for line in campaign.candidates if line.repairs]
    saved = sum(line.summary.is_measured for line in mended)
    return Mending(sum(line.repairs for line in mended), len(mended), saved)


def making(campaign: Digest) -> str:
    """Who made the candidates, what repairs were worth and how many were verified, briefly; empty without any."""
    authors = Counter(line.summary.author for line in campaign.candidates)
    made = [f"{authors[author]:,} {words}" for author, words in _MADE.items() if authors[author]]
    if not made:
        return ""
    told = [f"{listed(made)}."]
    if (found := mending(campaign)).programs:
        programs, repairs = plural(found.programs, "program"), plural(found.repairs, "repair")
        told.append(f"{programs} that failed got {repairs}; {found.saved} of them measured in the end.")
    verified = {verdict.sha for verdict in campaign.verdicts}
    told.append(f"{len(verified):,} verified.")
    return " ".join(told)


def subject(campaign: Digest) -> int | None:
    """The design that the headline is about: the best verified one if it is better, else the fittest."""
    verified = best_verified(campaign.verdicts)
    if verified is not None and verified.index is not None and is_better(first_loss(verified)):
        return verified.index
    return campaign.best.summary.index if campaign.best else None


def luck_free(campaign: Digest) -> Interval | None:
    """Language loss to expect of the best candidate, without the luck of being the best of many."""
    best, noise = campaign.best, campaign.language_noise
    if best is None or noise is None or not best.language:
        return None
    means = [sum(line.language) / len(line.language) for line in campaign.candidates if line.summary.is_measured]
    return shrunken(
        sum(best.language) / len(best.language), noise.std / math.sqrt(len(best.language)), population=means
    )


def discoveries(verdicts: Sequence[Verdict], reference: str) -> dict[str, float]:
    """q-value of every verified candidate against the reference's language loss, by source; all looks count."""
    return entrant_q_values(entrants(verdicts, reference))


def standing(verdict: Verdict, q_value: float) -> str:
    """'promoted' or why not, also where later verifications took it back; empty for a verdict of before promotion."""
    if verdict.is_promoted and q_value > DISCOVERY_Q:
        return f"not promoted any more: {q_text(q_value)} with what was verified since"
    return promotion_text(verdict)


def promoted_shas(campaign: Digest) -> set[str]:
    """Sources whose latest verdict promotes them, and whose q-value later verifications have not taken back."""
    q = discoveries(campaign.verdicts, campaign.yardstick.reference)
    latest = {verdict.sha: verdict for verdict in campaign.verdicts}
    return {sha for sha, found in latest.items() if found.is_promoted and q.get(sha, 1.0) <= DISCOVERY_Q}


def failures(campaign: Digest) -> list[Failure]:
    """Everything that was not measured, grouped by outcome and place, the most frequent first."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in campaign.candidates:
        has_result = line.summary.outcome == "measured" if campaign.is_imported else line.summary.is_measured
        if not has_result:
            groups.setdefault((line.summary.outcome, _where(line)), []).append(line)
    found = [Failure(kind, where, len(g), g[-1].summary.index, _reason(g[-1])) for (kind, where), g in groups.items()]
    return sorted(found, key=lambda failure: -failure.times)


def best_verified(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The latest verdict of the source whose language loss is furthest below its first baseline."""
    latest = {verdict.sha: verdict for verdict in verdicts}
    with_loss = [v for v in latest.values() if any(is_loss(c.quantity) for c in v.comparisons)]
    return min(with_loss, key=lambda v: first_loss(v).difference.estimate, default=None)


def first_loss(verdict: Verdict) -> Comparison:
    """The language loss against the first baseline that it was compared with."""
    return next(c for c in verdict.comparisons if is_loss(c.quantity))


def _where(line: Line) -> str:
    match line.outcome:
        case Rejected(check=check, stage=stage):
            return f"check '{check}'{' on trained weights' if stage else ''}"
        case Diverged() | TimedOut() | StoppedEarly() | Suspicious() | Leaking():
            return f"{line.outcome.stage.value} stage"
        case Crashed(stage=stage):
            return f"{stage.value} stage" if stage else "before training"
        case _:
            return "a number is missing"


def _reason(line: Line) -> str:
    return outcome_sentence(line.outcome)
