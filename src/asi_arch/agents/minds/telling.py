"""Experiments in the words of a prompt: numbers with their noise, and never a number that was not measured."""

from asi_arch.agents.comparison import (
    accuracies,
    accuracy_difference,
    language_difference,
    language_losses,
    mean,
    nats,
    points,
)
from asi_arch.agents.endings import ending
from asi_arch.agents.english import sentence
from asi_arch.agents.reflection import FEWEST_MEASURED
from asi_arch.domain.cognition import Passage
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Measured
from asi_arch.domain.ports import Brief, Known

_MAX_WORDS = 40
_FAILURE_WORDS = 25
_EXPERIENCE_WORDS = 60
_MAX_SENTENCES = 6


def numbers(experiment: Experiment, baseline: Experiment | None, noise_nats: float | None) -> str:
    """Losses and recall beside the baseline's, or how it ended where it has none."""
    if not isinstance(experiment.outcome, Measured):
        return ending(experiment.outcome)
    told = [f"language loss {mean(language_losses(experiment)):.3f} nats"]
    told += [f"recall accuracy {mean(accuracies(experiment)):.2f}"] if accuracies(experiment) else []
    if baseline is not None and baseline.index != experiment.index:
        name = baseline.proposal.name
        loss, recall = (
            language_difference(experiment, baseline, noise_nats),
            accuracy_difference(experiment, baseline),
        )
        told[0] += f" ({nats(loss, name)})" if loss else ""
        if recall and len(told) > 1:
            told[1] += f" ({points(recall, name)})"
    return "; ".join(told) + "."


def failure_of(experiment: Experiment) -> str:
    """What was changed, how it failed, and how it was mended where it was."""
    proposal = experiment.proposal
    change, end = proposal.change, numbers(experiment, None, None)
    if not proposal.repairs:
        return _in_short(change, end)
    last = proposal.repairs[-1]
    if isinstance(experiment.outcome, Measured):
        return _in_short(change, last.failure, f"Mended by this view: {last.cause}")
    return _in_short(change, end, f"This view did not mend it: {last.cause}")


def _in_short(*texts: str) -> str:
    """The first words of each, as sentences on one line."""
    return " ".join(sentence(shortened(text, _FAILURE_WORDS)) for text in texts if text.strip())


def experience_of(known: Known, words: int = _EXPERIENCE_WORDS) -> list[str]:
    """A line for each reference: what was condensed for it, else the first words of its motivation."""
    condensed = known.experience or [""] * len(known.references)
    return [
        shortened(line, words) if line else shortened(reference.proposal.motivation)
        for line, reference in zip(condensed, known.references, strict=True)
    ]


def idea_of(passage: Passage, words: int) -> str:
    """A passage of the literature in so many words: its paper, the symptom it cures, and how."""
    entry = passage.entry
    return (
        f"{passage.paper} ({passage.year}). {shortened(entry.trigger, words)} Idea: {shortened(entry.algorithm, words)}"
    )


def agenda_of(brief: Brief) -> list[str]:
    """The sentences of the brief's agenda; none without one, or where too little was measured to say anything."""
    agenda = brief.agenda
    if agenda is None or agenda.findings.measured < FEWEST_MEASURED:
        return []
    return [shortened(sentence) for sentence in agenda.sentences[:_MAX_SENTENCES]]


def shortened(text: str, words: int = _MAX_WORDS) -> str:
    """The first words of a text on one line."""
    found = text.split()
    return " ".join(found[:words]) + (" ..." if len(found) > words else "")
