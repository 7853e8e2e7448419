"""Numbers and outcomes as text, the same everywhere."""

from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.outcome import (
    Crashed,
    Diverged,
    Leaking,
    Measured,
    Outcome,
    Rejected,
    StoppedEarly,
    Suspicious,
    TimedOut,
)
from asi_arch.domain.verdict import Interval

MISSING = "\u2013"

OUTCOMES = {
    "measured": "measured",
    "rejected": "rejected by a check",
    "crashed": "crashed",
    "diverged": "diverged",
    "timed_out": "timed out",
    "stopped_early": "stopped early",
    "suspicious": "too good to be true",
    "leaking": "reads ahead",
}
"""All kinds of outcome, in the order in which tables and figures show them."""


BY_A_MODEL = "Design, mechanism and lessons were written by a language model, the rest was derived from the numbers."
"""Said of an analysis, so that nobody takes a model's words for a measurement."""


class Reading(NamedTuple):
    """A number with half the width of its interval; the margin is None where noise is unknown."""

    estimate: float
    margin: float | None = None

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero, for a difference."""
        return self.margin is not None and abs(self.estimate) > self.margin

    @staticmethod
    def of(interval: Interval) -> "Reading":
        """From a symmetric interval."""
        return Reading(interval.estimate, (interval.high - interval.low) / 2)


def number(value: float | None, digits: int = 3) -> str:
    """'1.607', or a dash."""
    return MISSING if value is None else f"{value:.{digits}f}"


def reading(value: Reading | None, *, digits: int = 3, is_signed: bool = False) -> str:
    """'1.607 ± 0.014'; with a sign for differences."""
    if value is None:
        return MISSING
    text = f"{value.estimate:+.{digits}f}" if is_signed else f"{value.estimate:.{digits}f}"
    text = text.replace("-", "\u2212")
    return text if value.margin is None else f"{text} ± {value.margin:.{digits}f}"


def duration(seconds: float) -> str:
    """'42 s', '3.5 min', '2 h 05 min', '3 d 4 h'."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5940:
        return f"{seconds / 60:.1f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def plural(count: int, word: str) -> str:
    """'1 experiment', '1,773 experiments'."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def listed(items: Sequence[str], word: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'."""
    return f" {word} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def outcome_sentence(outcome: Outcome) -> str:
    """What became of a candidate and why, in one sentence."""
    match outcome:
        case Measured():
            return "Trained to the end and measured."
        case Rejected(check=check, reason=reason, stage=stage):
            when = f"with the weights of the {stage.value} stage" if stage else "before training"
            return f"Rejected {when} by the check '{check}': {reason}"
        case Crashed(stage=stage, reason=reason):
            return f"Crashed{f' in the {stage.value} stage' if stage else ''}: {reason}"
        case Diverged(stage=stage, step=step):
            return f"Diverged in the {stage.value} stage: the loss was not finite at step {step}."
        case TimedOut(stage=stage, step=step, used_s=used, limit_s=limit):
            return f"Timed out in the {stage.value} stage at step {step}: {duration(used)} used of {duration(limit)}."
        case StoppedEarly(stage=stage, step=step, loss_nats=loss, baseline_loss_nats=baseline, margin=margin):
            return (
                f"Stopped early in the {stage.value} stage at step {step}: a training loss of {loss:.3f} nats against"
                f" the baseline's {baseline:.3f}, worse by more than {margin:g}."
            )
        case Suspicious(stage=stage, step=step, loss_nats=loss, baseline_loss_nats=baseline):
            return (
                f"Too good to be true in the {stage.value} stage at step {step}: a training loss of {loss:.3f} nats"
                f" against the baseline's {baseline:.3f}; it probably reads its targets."
            )
        case Leaking(stage=stage, position=position, loss_nats=loss, blind_loss_nats=blind, positions=positions):
            return (
                f"Reads ahead in the {stage.value} stage: at position {position} of a held-out row its loss is"
                f" {loss:.3f} nats before the true tokens and {blind:.3f} before others"
                f" ({plural(positions, 'position')} asked)."
            )
