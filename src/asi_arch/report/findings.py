"""What may be said about a campaign: one honest headline, what failed and why, what early stopping saved."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.outcome import Crashed, Diverged, Rejected, StoppedEarly, Suspicious, TimedOut
from asi_arch.domain.verdict import Comparison, Interval, Verdict
from asi_arch.report.digest import Digest, Line
from asi_arch.report.tables import Row, Table, Versus
from asi_arch.report.words import OUTCOMES, number, outcome_sentence, plural, reading
from asi_arch.search.fitness import Standing
from asi_arch.stats.multiplicity import q_values
from asi_arch.stats.shrinkage import shrunken
from asi_arch.stats.wording import describe, is_better, is_distinguishable, is_loss

DISCOVERY_Q = 0.1
"""Share of false discoveries that is accepted among all that were verified."""


class Failure(NamedTuple):
    """Candidates that failed in the same way."""

    kind: str
    where: str
    times: int
    example: int
    reason: str


class Savings(NamedTuple):
    """What early stopping saved, and how often it would have been wrong."""

    stopped: int
    saved_cpu_s: float
    saved_share: float
    """Of the CPU time that training would have taken without it."""
    audited: int
    """Stops that were let through."""
    wrong: int
    """Of these, how many ended below the reference baseline's language loss."""


def headline(campaign: Digest, table: Table) -> str:
    """What was found, in one or two sentences that claim no more than was shown."""
    if not campaign.lines:
        return "Nothing is finished yet."
    if not campaign.candidates:
        return "Only baselines are finished; nothing was invented yet."
    measured = [line for line in campaign.candidates if line.summary.is_measured]
    if not measured:
        return f"Of {plural(len(campaign.candidates), 'candidate')} none was trained to the end: {_tally(campaign)}."
    if (verified := _best_verified(campaign.verdicts)) is not None:
        return _verified_sentence(campaign, verified)
    if not table.candidates:
        return f"{plural(len(measured), 'candidate')} measured, none with a fitness: {_unscored(measured)}."
    return _screening_sentence(campaign, table.candidates[0], len(measured))


def subject(campaign: Digest) -> int | None:
    """The design that the headline is about: the best verified one if it is better, else the fittest."""
    verified = _best_verified(campaign.verdicts)
    if verified is not None and verified.index is not None and is_better(_first_loss(verified)):
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
    """q-value of every verified candidate against the reference's language loss, by source; all that entered count."""
    tests = {v.sha: c for v in verdicts for c in v.comparisons if c.baseline == reference and is_loss(c.quantity)}
    return dict(zip(tests, q_values([test.p_value for test in tests.values()]), strict=True))


def failures(campaign: Digest) -> list[Failure]:
    """Everything that was not measured, grouped by outcome and place, the most frequent first."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in campaign.candidates:
        if not line.summary.is_measured:
            groups.setdefault((line.summary.outcome, _where(line)), []).append(line)
    found = [Failure(kind, where, len(g), g[-1].summary.index, _reason(g[-1])) for (kind, where), g in groups.items()]
    return sorted(found, key=lambda failure: -failure.times)


def savings(campaign: Digest) -> Savings:
    """Compares stopped experiments with the mean CPU time of those that were trained to the end."""
    full = [line.cost.train_cpu_s for line in campaign.candidates if line.summary.is_measured]
    stopped = [line for line in campaign.candidates if line.summary.outcome == "stopped_early"]
    saved = sum(max(0.0, sum(full) / len(full) - line.cost.train_cpu_s) for line in stopped) if full else 0.0
    spent = sum(line.cost.train_cpu_s for line in campaign.candidates)
    audited = [line for line in campaign.candidates if line.is_audited]
    limit = campaign.reference.summary.language_loss if campaign.reference else None
    wrong = [x for x in audited if limit is not None and (x.summary.language_loss or math.inf) < limit]
    return Savings(len(stopped), saved, saved / (saved + spent) if saved else 0.0, len(audited), len(wrong))


def _tally(campaign: Digest) -> str:
    counts = [(OUTCOMES[kind], campaign.outcomes[kind]) for kind in OUTCOMES if campaign.outcomes[kind]]
    return ", ".join(f"{count} {name}" for name, count in counts)


def _unscored(lines: Sequence[Line]) -> str:
    words: Mapping[Standing | None, str] = {
        Standing.VETOED: "recall less than the floor baseline",
        Standing.LEAK: "have a loss too good to be true",
        Standing.UNMEASURED: "lack a number",
        None: "wait for a baseline",
    }
    counts = Counter(words.get(line.parts.standing if line.parts else None, "have none") for line in lines)
    return ", ".join(f"{count} {text}" for text, count in counts.items())


def _best_verified(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The latest verdict of the source whose language loss is furthest below its first baseline."""
    latest = {verdict.sha: verdict for verdict in verdicts}
    with_loss = [v for v in latest.values() if any(is_loss(c.quantity) for c in v.comparisons)]
    return min(with_loss, key=lambda v: _first_loss(v).difference.estimate, default=None)


def _first_loss(verdict: Verdict) -> Comparison:
    return next(c for c in verdict.comparisons if is_loss(c.quantity))


def _verified_sentence(campaign: Digest, verdict: Verdict) -> str:
    """Every comparison, the unwelcome ones too, and what follows from them."""
    names = {line.summary.sha: f"{line.summary.name} (#{line.summary.index})" for line in reversed(campaign.lines)}
    name = names.get(verdict.sha, f"source {verdict.sha[:8]}")
    found = "; ".join(f"{c.quantity} {describe(c)}" for c in verdict.comparisons)
    text = f"{name} was trained again and measured on data that the search never saw: {found}."
    return f"{text} {_judged(campaign, verdict)}"


def _judged(campaign: Digest, verdict: Verdict) -> str:
    """A discovery has a lower loss than the first baseline, corrected for all verified, and recalls no less."""
    loss = _first_loss(verdict)
    q = discoveries(campaign.verdicts, loss.baseline).get(verdict.sha, 1.0)
    others = [c for c in verdict.comparisons if c.baseline == loss.baseline and not is_loss(c.quantity)]
    if not is_better(loss) or q > DISCOVERY_Q:
        return "That is not a discovery."
    if any(is_distinguishable(c) and not is_better(c) for c in others):
        return f"That is not a discovery: it recalls less than {loss.baseline}."
    return f"Against {loss.baseline} that is a discovery (q = {q:.2g} over all that were verified)."


def _screening_sentence(campaign: Digest, best: Row, measured: int) -> str:
    reference = campaign.campaign.profile.search.baselines[0]
    versus = next((v for v in best.against if v.baseline == reference), None)
    seeds = plural(len(campaign.campaign.profile.seeds), "seed")
    name = f"{best.summary.name} (#{best.summary.index})"
    return (
        f"The fittest of {plural(measured, 'measured candidate')} is {name} with a fitness of"
        f" {number(best.summary.fitness)}. {_against(versus, seeds)} It was chosen as the best of many by these very"
        " numbers and not verified with fresh seeds: a lead, not a discovery."
    )


def _against(versus: Versus | None, seeds: str) -> str:
    if versus is None or versus.language is None:
        return "The reference baseline has no result yet."
    gap = f"{reading(versus.language, is_signed=True)} nats"
    extent = "more than" if versus.language.is_clear else "not more than"
    return (
        f"On {seeds} its language loss differs from {versus.baseline}'s by {gap}, {extent} the seeds' noise explains."
    )


def _where(line: Line) -> str:
    match line.outcome:
        case Rejected(check=check):
            return f"check '{check}'"
        case Diverged(stage=stage) | TimedOut(stage=stage) | StoppedEarly(stage=stage) | Suspicious(stage=stage):
            return f"{stage.value} stage"
        case Crashed(stage=stage):
            return f"{stage.value} stage" if stage else "before training"
        case _:
            return "a number is missing"


def _reason(line: Line) -> str:
    return outcome_sentence(line.outcome)
