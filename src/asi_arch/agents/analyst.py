"""The embedded Analyst: compares an experiment with its relatives and says in sentences what its numbers show.

Every figure comes from the records; what is missing is called missing. Differences come with their standard error and
with a word for how much they say (`comparison`). Speaks of capabilities, so that no reader tunes to one task.
"""

import re
from collections.abc import Iterator

from asi_arch.agents.comparison import (
    Difference,
    Strength,
    accuracies,
    accuracy_difference,
    capability,
    groups,
    language_difference,
    language_losses,
    mean,
    nats,
    points,
    stage_runs,
)
from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.endings import ending, warning_of
from asi_arch.agents.english import capitalised, counted, listed
from asi_arch.agents.expectation import Fate, expectations, settled
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Analysis, Experiment
from asi_arch.domain.outcome import Measured
from asi_arch.domain.ports import Evidence
from asi_arch.domain.profile import StageName

_WINDOW = 50
"""Steps over which training losses are averaged."""


class NumbersAnalyst:
    """An `Analyst` that derives every sentence from a number; equal input gives equal words."""

    async def analyse(self, experiment: Experiment, context: Evidence) -> Analysis:
        """Design, results with ablation, expectation against reality, mechanism, lessons; for every outcome."""
        return Analysis(
            design=" ".join(_design(experiment, context)),
            results=" ".join(_results(experiment, context)),
            expectation=_expectation(experiment, context),
            mechanism=" ".join(_mechanism(experiment, context)),
            lessons=_lessons(experiment, context),
        )


def _design(experiment: Experiment, context: Evidence) -> Iterator[str]:
    proposal, parent = experiment.proposal, context.parent
    origin = f"descends from {parent.proposal.name}" if parent else "has no parent"
    change = proposal.change.strip().rstrip(".")
    yield f"{proposal.name} {origin}{f': {change[0].lower()}{change[1:]}' if change else ''}."
    added, removed = _difference_in_mechanisms(proposal, parent)
    if parent and len(added) + len(removed) > 1:
        yield f"With {len(added)} added and {len(removed)} removed at once, no single mechanism can be credited."
    if experiment.judgement:
        best = max(experiment.judgement.marks, key=lambda mark: mark.value)
        worst = min(experiment.judgement.marks, key=lambda mark: mark.value)
        yield (
            f"The design is judged {experiment.judgement.score:.2f} of 1;"
            f" strongest in {best.name} ({best.value:.2f}), weakest in {worst.name} ({worst.value:.2f}). {worst.reason}"
        )


def _results(experiment: Experiment, context: Evidence) -> Iterator[str]:
    if not isinstance(experiment.outcome, Measured):
        yield ending(experiment.outcome)
    yield from _language_results(experiment, context)
    yield from _recall_results(experiment, context)
    yield from _ablation(experiment, context)


def _language_results(experiment: Experiment, context: Evidence) -> Iterator[str]:
    losses = language_losses(experiment)
    if not losses:
        yield "Its language loss was not measured."
        return
    count = counted(len(losses), "seed")
    if context.noise_nats is None:
        yield f"Language loss is {mean(losses):.3f} nats over {count}; the noise between seeds is not known."
    else:
        yield f"Language loss is {mean(losses):.3f} ± {context.noise_nats:.3f} nats (noise of a seed) over {count}."
    for title, other in _relatives(experiment, context):
        difference = language_difference(experiment, other, context.noise_nats)
        told = nats(difference, title) if difference else f"not comparable with {title}, which has no score"
        yield f"That is {told}."


def _recall_results(experiment: Experiment, context: Evidence) -> Iterator[str]:
    values = accuracies(experiment)
    if not values:
        yield "Recall was not measured."
        return
    yield f"Recall accuracy is {100 * mean(values):.1f}% over {counted(len(values), 'seed')}."
    relatives = _relatives(experiment, context)
    for title, other in relatives:
        difference = accuracy_difference(experiment, other)
        told = points(difference, title) if difference else f"not comparable with {title}, which has no score"
        yield f"That is {told}."
    if relatives:
        yield _capabilities(experiment, *relatives[0])


def _capabilities(experiment: Experiment, title: str, other: Experiment) -> str:
    """Which single capabilities moved beyond the noise."""
    moved = [(group, accuracy_difference(experiment, other, group)) for group in groups(experiment)]
    told = [
        f"{capability(group)} by {100 * difference.value:+.1f} points ({difference.strength.value})"
        for group, difference in moved
        if difference is not None and difference.is_evident
    ]
    if told:
        return f"What moved against {title}: {listed(told)}."
    return f"No single capability moved beyond the noise against {title}."


def _ablation(experiment: Experiment, context: Evidence) -> Iterator[str]:
    """What relatives with and without a new mechanism say about it."""
    siblings = [s for s in context.siblings if s.index != experiment.index and language_losses(s)]
    losses = language_losses(experiment)
    if not siblings or not losses:
        return
    best = min(siblings, key=lambda sibling: (mean(language_losses(sibling)), sibling.index))
    difference = language_difference(experiment, best, context.noise_nats)
    if difference:
        count = counted(len(siblings), "measured sibling")
        yield f"The best of its {count}, {best.proposal.name}, reached {mean(language_losses(best)):.3f};"
        yield f"this one is {nats(difference, 'that')}."
    added, _ = _difference_in_mechanisms(experiment.proposal, context.parent)
    for key in added:
        comparable = [sibling for sibling in siblings if sibling.proposal.is_catalogued]
        having = [mean(language_losses(s)) for s in comparable if key in s.proposal.mechanisms]
        lacking = [mean(language_losses(s)) for s in comparable if key not in s.proposal.mechanisms]
        if having and lacking:
            users, others = counted(len(having) + 1, "relative"), counted(len(lacking), "relative")
            yield f"With {_title(key)}, {users} average {mean([*having, mean(losses)]):.3f} nats;"
            yield f"without it, {others} average {mean(lacking):.3f}."


def _expectation(experiment: Experiment, context: Evidence) -> str:
    other = context.parent or context.reference
    expected = expectations(experiment.proposal.expectation)
    if not expected:
        return "The proposal named no number that should move, so nothing can be scored."
    if other is None or other.index == experiment.index:
        return "There is nothing to compare with, so the expectation stays open."
    outcomes = [settled(expectation, experiment, other, context.noise_nats) for expectation in expected]
    fates = [outcome.fate for outcome in outcomes]
    told = " ".join(f"{capitalised(o.told)} ({o.fate.value})." for o in outcomes)
    score = ", ".join(f"{fates.count(fate)} {fate.value}" for fate in Fate)
    return f"{told} Of {counted(len(fates), 'expectation')}: {score}."


def _mechanism(experiment: Experiment, context: Evidence) -> Iterator[str]:
    """What the code does differently, what it costs, and when in training the difference arose."""
    added, removed = _difference_in_mechanisms(experiment.proposal, context.parent)
    for key in added:
        if key in CATALOGUE:
            yield f"With {CATALOGUE[key].title} {CATALOGUE[key].does}."
    if removed:
        yield f"It does without {listed([_title(key) for key in removed])}."
    own_calls = _calls(experiment.proposal.source)
    if context.parent:
        before = _calls(context.parent.proposal.source)
        new, gone = [c for c in own_calls if c not in before], [c for c in before if c not in own_calls]
        if new or gone:
            clauses = [f"now calls {listed(new)}" if new else "", f"no longer calls {listed(gone)}" if gone else ""]
            yield f"The code {listed([clause for clause in clauses if clause])}."
        else:
            yield "The code calls the same operations as the parent's."
    elif own_calls:
        yield f"The code calls {listed(own_calls)}."
    yield from _counts(experiment, context)
    yield from _course(experiment, context.parent)


def _counts(experiment: Experiment, context: Evidence) -> Iterator[str]:
    footprint = experiment.checks.footprint if experiment.checks else None
    if footprint is None:
        yield "Its work was not counted."
        return
    told = f"One layer has {footprint.parameters:,} parameters and its work grows as length^{footprint.growth:.2f}"
    for title, other in _relatives(experiment, context):
        theirs = other.checks.footprint if other.checks else None
        if theirs is not None and theirs.flops:
            told += f"; it does {footprint.flops / theirs.flops:.2f}x the operations of {title}"
    yield f"{told}."


def _course(experiment: Experiment, parent: Experiment | None) -> Iterator[str]:
    """Early and late difference of the training loss to the parent's, at the seeds that both have."""
    if parent is None:
        return
    theirs = {run.key.seed: run for run in stage_runs(parent, StageName.LANGUAGE)}
    pairs = [
        (run, theirs[run.key.seed]) for run in stage_runs(experiment, StageName.LANGUAGE) if run.key.seed in theirs
    ]
    length = min((min(len(one.losses), len(other.losses)) for one, other in pairs), default=0)
    if length < 4 * _WINDOW:
        return
    early, late = (
        mean([mean(one.losses[end - _WINDOW : end]) - mean(other.losses[end - _WINDOW : end]) for one, other in pairs])
        for end in (length // 4, length)
    )
    yield (
        f"On the same batches its training loss differed from the parent's by {early:+.3f} nats after a quarter of"
        f" {length} steps and by {late:+.3f} at their end."
    )


def _lessons(experiment: Experiment, context: Evidence) -> str:
    subject = _subject(experiment, context.parent)
    if not isinstance(experiment.outcome, Measured):
        return warning_of(experiment.outcome, subject)
    other = context.parent or context.reference
    if other is None or other.index == experiment.index:
        return f"{experiment.proposal.name} sets the mark that its successors are compared with."
    language = language_difference(experiment, other, context.noise_nats)
    recall = accuracy_difference(experiment, other)
    effects = [
        _effect("language loss", language, f"{abs(language.value):.3f} nats") if language else "",
        _effect("recall", recall, f"{100 * abs(recall.value):.1f} points") if recall else "",
    ]
    told = listed([effect for effect in effects if effect]) or "could not be compared"
    return f"On top of {other.proposal.name}, {subject[0].lower()}{subject[1:]} {told}.{_advice(language, recall)}"


def _effect(quantity: str, difference: Difference, size: str) -> str:
    if difference.strength is Strength.UNKNOWN:
        return f"moved {quantity} by an amount ({size}) whose noise is not known"
    if not difference.is_evident:
        return f"did not move {quantity} beyond the noise"
    return f"{'lowered' if difference.value < 0 else 'raised'} {quantity} by {size} ({difference.strength.value})"


def _advice(language: Difference | None, recall: Difference | None) -> str:
    if language is None or recall is None or Strength.UNKNOWN in (language.strength, recall.strength):
        return ""
    gains = (language.is_evident and language.value < 0, recall.is_evident and recall.value > 0)
    harms = (language.is_evident and language.value > 0, recall.is_evident and recall.value < 0)
    if any(gains) and any(harms):
        return " It trades one for the other."
    if any(gains):
        return " Worth building on, after a second look with fresh seeds."
    if any(harms):
        return " Better left out."
    return " What does not show should not be kept for its own sake."


def _subject(experiment: Experiment, parent: Experiment | None) -> str:
    """The change that was tried, as the subject of a sentence in the singular."""
    added, removed = _difference_in_mechanisms(experiment.proposal, parent)
    if parent is None:
        return f"The design of {experiment.proposal.name}"
    if not (experiment.proposal.catalogued and parent.proposal.catalogued):
        return f"The program of {experiment.proposal.name}"
    if not (added or removed):
        return "The new setting"
    more = f"adding {listed([_title(key) for key in added])}" if added else ""
    less = f"removing {listed([_title(key) for key in removed])}" if removed else ""
    return capitalised(" while ".join(part for part in (more, less) if part))


def _difference_in_mechanisms(proposal: Proposal, parent: Experiment | None) -> tuple[list[str], list[str]]:
    """Added and removed, each in the order of its proposal; none where one of the two names them in its own words."""
    before, own = parent.proposal.catalogued if parent else (), proposal.catalogued
    if not before or not own:
        return [], []
    return [key for key in own if key not in before], [key for key in before if key not in own]


def _relatives(experiment: Experiment, context: Evidence) -> list[tuple[str, Experiment]]:
    """Parent and reference with the words for them; each once, never the experiment itself."""
    found = {"the parent": context.parent, "the reference": context.reference}
    if context.parent and context.reference and context.parent.index == context.reference.index:
        found = {"the parent, which is the reference": context.parent}
    return [(title, other) for title, other in found.items() if other is not None and other.index != experiment.index]


def _calls(source: str) -> list[str]:
    """Sequence operations that the code imports and calls, in order of their first call."""
    imported = re.search(r"from asi_arch\.mixers\.ops import \(?([\w\s,]+?)(?:\)|\n(?!    ))", source)
    names = set(re.findall(r"\w+", imported.group(1))) if imported else set[str]()
    return list(dict.fromkeys(name for name in re.findall(r"\b(\w+)\(", source) if name in names))


def _title(key: str) -> str:
    return CATALOGUE[key].title if key in CATALOGUE else key.replace("_", " ")
