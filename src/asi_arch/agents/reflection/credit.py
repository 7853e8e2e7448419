"""Which mechanisms pay: children against their parents, where a mechanism came in or went out.

A child differs from its parent in several mechanisms at once, so they share the difference (`stats.attribution`).
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.agents.comparison import language_losses
from asi_arch.domain.agenda import Credit, Effect
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.reflection import Hindsight, Result
from asi_arch.stats.attribution import attributed

RECENT_BATCHES = 2
_DIGITS = 6
"""Of stored effects: what rounding on another machine changes is not kept."""


class Pair(NamedTuple):
    """A child and its parent, both with a result."""

    changes: Mapping[str, int]
    """Mechanism -> 1 where the child added it, -1 where it removed it."""
    child: Result
    parent: Result


def inventions(seen: Hindsight) -> list[Experiment]:
    """All but the baselines."""
    return [experiment for experiment in seen.experiments if experiment.proposal.author is not Author.BASELINE]


def recent_inventions(seen: Hindsight) -> list[Experiment]:
    """Those of the last batches."""
    return [e for e in inventions(seen) if e.index >= seen.snapshot - RECENT_BATCHES * seen.batch]


def pairs_of(seen: Hindsight) -> list[Pair]:
    """Children that can be compared; free programs say too little about their mechanisms."""
    by_index = {experiment.index: experiment for experiment in seen.experiments}
    found: list[Pair] = []
    for child in inventions(seen):
        parent = by_index.get(-1 if child.proposal.parent is None else child.proposal.parent)
        if parent is None or not {child.index, parent.index} <= set(seen.results):
            continue
        if child.proposal.design and parent.proposal.design:
            changes = _changes(child.proposal, parent.proposal)
            found.append(Pair(changes, seen.results[child.index], seen.results[parent.index]))
    return found


def credits_of(seen: Hindsight, pairs: Sequence[Pair], catalogue: Sequence[str]) -> list[Credit]:
    """One for every mechanism of the catalogue, in its order."""
    tried = Counter(key for e in inventions(seen) for key in set(e.proposal.mechanisms))
    recent = _recently_added(seen)
    counts = Counter(key for pair in pairs for key in pair.changes)
    measured = [pair for pair in pairs if not pair.child.is_guessed and not pair.parent.is_guessed]
    gain = _effects(pairs, lambda result: result.gain, _gain_noise(seen))
    loss = _effects(pairs, lambda result: result.loss_nats, _loss_noise(seen))
    recall = _effects(measured, lambda result: result.recall, 0.0)
    return [
        Credit(
            mechanism=key,
            tried=tried[key],
            recent=recent[key],
            pairs=counts[key],
            gain=gain.get(key),
            loss_nats=loss.get(key),
            recall=recall.get(key),
        )
        for key in catalogue
    ]


def _changes(child: Proposal, parent: Proposal) -> dict[str, int]:
    mine, theirs = set(child.mechanisms), set(parent.mechanisms)
    return {key: 1 if key in mine else -1 for key in sorted(mine ^ theirs)}


def _recently_added(seen: Hindsight) -> Counter[str]:
    by_index = {experiment.index: experiment.proposal for experiment in seen.experiments}
    added: Counter[str] = Counter()
    for child in recent_inventions(seen):
        parent = by_index.get(-1 if child.proposal.parent is None else child.proposal.parent)
        if parent is not None and parent.design and child.proposal.design:
            added.update(key for key, sign in _changes(child.proposal, parent).items() if sign > 0)
    return added


def _effects(pairs: Sequence[Pair], read: Callable[[Result], float], noise: float) -> dict[str, Effect]:
    """By mechanism; `noise` is the known standard deviation of one difference."""
    keys = sorted({key for pair in pairs for key in pair.changes})
    differences = [read(pair.child) - read(pair.parent) for pair in pairs]
    changes = [[float(pair.changes.get(key, 0)) for key in keys] for pair in pairs]
    found = attributed(differences, changes, noise=noise) if keys else None
    if found is None:
        return {}
    values = zip(keys, found.effects, found.errors, strict=True)
    return {k: Effect(value=round(float(v), _DIGITS), error=round(float(e), _DIGITS)) for k, v, e in values}


def _gain_noise(seen: Hindsight) -> float:
    """Of a difference of two, from the spread between seeds, pooled over all results."""
    squares = [result.gain_error**2 for result in seen.results.values() if result.gain_error is not None]
    return math.sqrt(2 * sum(squares) / len(squares)) if squares else 0.0


def _loss_noise(seen: Hindsight) -> float:
    seeds = max((len(language_losses(experiment)) for experiment in seen.experiments), default=0)
    return seen.noise_nats * math.sqrt(2 / seeds) if seen.noise_nats is not None and seeds else 0.0
