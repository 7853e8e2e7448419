"""What a campaign shows of itself: mechanisms, crowds, expectations, the judge, waste. Counted, never guessed."""

import math
from collections import Counter
from collections.abc import Sequence

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.expectation import Expectation, Fate, expectations, settled
from asi_arch.agents.reflection.credit import credits_of, inventions, pairs_of, recent_inventions
from asi_arch.domain.agenda import Credit, Crowd, Findings, Forecasts, Rating, Waste
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.reflection import Hindsight

CLEAR = 0.9
"""Belief from which an effect is called a gain, or a loss at the opposite end."""
_OVER_EXPLORED = (3, 0.3)
"""Additions among the last inventions, at least so many and so large a share of them."""
_CROWDED = (4, 0.5)
"""Children of one parent among the last inventions, likewise."""
_HARDLY = 1
"""Inventions that have a mechanism, at most."""
_FEWEST_RATED = 8


def findings_of(seen: Hindsight) -> Findings:
    """All statistics; a pure function of what the snapshot may see."""
    invented, pairs = inventions(seen), pairs_of(seen)
    found = credits_of(seen, pairs, list(CATALOGUE))
    recent, is_designed = recent_inventions(seen), any(e.proposal.design for e in invented)
    return Findings(
        inventions=len(invented),
        measured=sum(e.outcome.kind == "measured" for e in invented),
        pairs=len(pairs),
        noise_nats=seen.noise_nats,
        credits=tuple(credit for credit in found if credit.tried or credit.pairs),
        over_explored=tuple(credit.mechanism for credit in found if _is_over_explored(credit, len(recent))),
        hardly_tried=tuple(credit.mechanism for credit in found if is_designed and credit.tried <= _HARDLY),
        crowds=tuple(_crowds(recent)),
        forecasts=tuple(_forecasts(seen, invented)),
        ratings=tuple(_ratings(seen, invented)),
        waste=tuple(_waste(invented)),
        cpu_s=sum(e.cost.cpu_s for e in invented),
    )


def _is_over_explored(credit: Credit, inventions: int) -> bool:
    least, share = _OVER_EXPLORED
    is_clear = credit.gain is not None and credit.gain.belief >= CLEAR
    return not is_clear and credit.recent >= least and credit.recent >= share * inventions


def _crowds(recent: Sequence[Experiment]) -> list[Crowd]:
    """Parents, those with most children first."""
    least, share = _CROWDED
    counts = Counter(e.proposal.parent for e in recent if e.proposal.parent is not None)
    return [
        Crowd(parent=parent, children=count, of=len(recent))
        for parent, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= least and count >= share * len(recent)
    ]


def _forecasts(seen: Hindsight, invented: Sequence[Experiment]) -> list[Forecasts]:
    """Kinds of expectations with their fates against the parent, the commonest first."""
    by_index = {experiment.index: experiment for experiment in seen.experiments}
    fates: Counter[tuple[Expectation, Fate]] = Counter()
    for own in invented:
        parent = by_index.get(-1 if own.proposal.parent is None else own.proposal.parent)
        if parent is None or own.outcome.kind != "measured":
            continue
        for expected in expectations(own.proposal.expectation):
            fates[expected, settled(expected, own, parent, seen.noise_nats).fate] += 1
    found = [
        Forecasts(
            quantity=expected.quantity,
            direction=expected.direction,
            met=fates[expected, Fate.MET],
            missed=fates[expected, Fate.MISSED],
            open=fates[expected, Fate.OPEN],
        )
        for expected in sorted({expected for expected, _ in fates})
    ]
    return sorted(found, key=lambda kind: -(kind.met + kind.missed + kind.open))


def _ratings(seen: Hindsight, invented: Sequence[Experiment]) -> list[Rating]:
    """The judge's score and each of its marks against the measured gain."""
    rated = [e for e in invented if e.judgement and e.index in seen.results and not seen.results[e.index].is_guessed]
    gains = {e.index: seen.results[e.index].gain for e in rated}
    series: dict[str, list[tuple[float, float]]] = {"score": []}
    for experiment in rated:
        if experiment.judgement is None:
            continue
        series["score"].append((experiment.judgement.score, gains[experiment.index]))
        for mark in experiment.judgement.marks:
            series.setdefault(mark.name, []).append((mark.value, gains[experiment.index]))
    found: list[Rating] = []
    for name, values in series.items():
        correlation = _correlation(values) if len(values) >= _FEWEST_RATED else None
        if correlation is not None:
            found.append(Rating(name=name, correlation=round(correlation, 6), inventions=len(values)))
    return found


def _correlation(values: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's; None where one of the two never changes."""
    means = [sum(pair[side] for pair in values) / len(values) for side in (0, 1)]
    centred = [(x - means[0], y - means[1]) for x, y in values]
    spreads = [sum(pair[side] ** 2 for pair in centred) for side in (0, 1)]
    if min(spreads) <= 1e-12:
        return None
    return sum(x * y for x, y in centred) / math.sqrt(spreads[0] * spreads[1])


def _waste(invented: Sequence[Experiment]) -> list[Waste]:
    """Outcomes without a result, the most expensive first."""
    kinds: dict[str, list[float]] = {}
    for experiment in invented:
        if experiment.outcome.kind != "measured":
            kinds.setdefault(experiment.outcome.kind, []).append(experiment.cost.cpu_s)
    found = [Waste(outcome=kind, inventions=len(kinds[kind]), cpu_s=sum(kinds[kind])) for kind in sorted(kinds)]
    return sorted(found, key=lambda waste: -waste.cpu_s)
