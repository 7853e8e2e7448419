"""How an experiment ended, in a sentence, and what its ending teaches."""

from asi_arch.agents.english import sentence
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


def ending(outcome: Outcome) -> str:
    """What happened, with its numbers."""
    match outcome:
        case Measured():
            return "It trained to the end in both stages."
        case Rejected(check=check, reason=reason, stage=stage):
            when = f"with what the {stage.value} stage had trained" if stage else "before any training"
            return f"The check '{check}' rejected it {when}: {sentence(reason)}"
        case Crashed(stage=stage, reason=reason):
            where = f"in the {stage.value} stage" if stage else "before any training"
            return f"It crashed {where}: {sentence(reason)}"
        case Diverged(stage=stage, step=step):
            return f"Its loss was no longer finite at step {step} of the {stage.value} stage."
        case TimedOut(stage=stage, step=step, used_s=used, limit_s=limit):
            return (
                f"It was ended at step {step} of the {stage.value} stage after {used:.0f} s;"
                f" the limit was {limit:.0f} s."
            )
        case StoppedEarly(step=step, loss_nats=loss, baseline_loss_nats=baseline, margin=margin):
            return (
                f"It was stopped at step {step} of the {outcome.stage.value} stage: its training loss of {loss:.3f}"
                f" nats was {loss - baseline:.3f} above the reference's {baseline:.3f} at the same seed and step,"
                f" more than the margin of {margin:.2f}."
            )
        case Suspicious(step=step, loss_nats=loss, baseline_loss_nats=baseline):
            return (
                f"It was ended at step {step} of the {outcome.stage.value} stage: its training loss of {loss:.3f}"
                f" nats was {baseline - loss:.3f} under the reference's {baseline:.3f}, too good to be believed."
            )
        case Leaking(stage=stage, position=position, loss_nats=loss, blind_loss_nats=blind):
            return (
                f"Its score in the {stage.value} stage did not hold: at position {position} of a held-out row its loss"
                f" was {loss:.3f} nats with the true tokens after it and {blind:.3f} without, so it reads ahead."
            )


def warning_of(outcome: Outcome, subject: str) -> str:
    """The reusable sentence of an experiment that was not measured; `subject` is the change that was tried."""
    match outcome:
        case Rejected(check=check):
            return f"{subject} in this form fails the check '{check}'; mend that before trying it again."
        case Crashed():
            return f"{subject} in this form does not run; nothing is known about the idea itself."
        case Diverged():
            return f"{subject} made training unstable; bound the state or normalise what is written first."
        case TimedOut():
            return f"{subject} costs more time than it may; only a cheaper form could show whether it helps."
        case StoppedEarly(stage=stage, step=step):
            return f"{subject} learned too slowly by step {step} of the {stage.value} stage; not worth a full training."
        case Suspicious():
            return f"{subject} lowered the loss beyond belief; look for future tokens in what a position can see."
        case Leaking(position=position):
            return f"{subject} reads ahead on real text (position {position}); let each position see its past only."
        case _:
            return f"{subject} was measured."
