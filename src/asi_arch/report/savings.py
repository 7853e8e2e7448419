"""What the early stop saved, and how often it would have been wrong."""

from typing import NamedTuple

from asi_arch.report.digest import Digest, Line
from asi_arch.report.words import duration, plural

TIE_NATS = 0.025
"""Two seeds can't tell language losses apart that differ by less: a stop that ends so near was wrong."""


class Savings(NamedTuple):
    """The early stop's account."""

    stopped: int
    audited: int
    """Stops that were let through, to measure the rule."""
    wrong: int
    """Of these, how many ended within `TIE_NATS` of the reference's language loss, or below it."""
    saved_cpu_s: float | None
    """Of training; None where nothing was stopped, or nothing trained to the end that tells how long that takes."""
    saved_share: float | None
    """Of the CPU time that training the candidates would have taken without it."""


def savings(campaign: Digest) -> Savings:
    """Compares stopped candidates with the mean CPU time of a training to the end: of candidates, else of baselines."""
    stopped = [line for line in campaign.candidates if line.summary.outcome == "stopped_early"]
    audited = [line for line in campaign.candidates if line.is_audited]
    full = _full_training_s(campaign)
    saved = sum(max(0.0, full - line.cost.train_cpu_s) for line in stopped) if stopped and full is not None else None
    spent = sum(line.cost.train_cpu_s for line in campaign.candidates)
    return Savings(
        stopped=len(stopped),
        audited=len(audited),
        wrong=sum(_was_wrong(campaign, line) for line in audited),
        saved_cpu_s=saved,
        saved_share=None if saved is None or saved + spent == 0 else saved / (saved + spent),
    )


def one_line(found: Savings) -> str:
    """'12 early stops saved 41% of the training time; 3 let through as an audit, 0 of these wrong'."""
    text = plural(found.stopped, "early stop")
    if found.saved_share is not None:
        text += f" saved {found.saved_share:.0%} of the training time"
    if not found.audited:
        return f"{text}; none let through yet as an audit"
    return f"{text}; {found.audited:,} let through as an audit, {found.wrong:,} of these wrong"


def in_full(found: Savings, *, audit_fraction: float, reference: str) -> str:
    """The same for the page, with what it means."""
    text = f"The early stop ended {plural(found.stopped, 'candidate')}"
    if found.saved_cpu_s is not None and found.saved_share is not None:
        text += f" and saved about {duration(found.saved_cpu_s)} of CPU time, {found.saved_share:.0%} of what training"
        text += " all candidates to the end would have taken"
    text += f". {audit_fraction:.0%} of the candidates are exempt from it, to measure how often it is wrong:"
    if not found.audited:
        return f"{text} none of them was to be stopped yet, so that is not known."
    return (
        f"{text} {found.audited:,} of them would have been stopped, and {found.wrong:,} of these ended with a language"
        f" loss within {TIE_NATS} nats of {reference}'s or below it, so would have been stopped wrongly."
    )


def _full_training_s(campaign: Digest) -> float | None:
    """Mean CPU seconds of a training to the end."""
    for group in (campaign.candidates, campaign.baselines):
        if full := [line.cost.train_cpu_s for line in group if line.summary.is_measured]:
            return sum(full) / len(full)
    return None


def _was_wrong(campaign: Digest, line: Line) -> bool:
    reference = campaign.reference.summary.language_loss if campaign.reference else None
    loss = line.summary.language_loss
    return reference is not None and loss is not None and loss <= reference + TIE_NATS
