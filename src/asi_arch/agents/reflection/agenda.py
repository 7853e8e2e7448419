"""From statistics to an agenda: a few sentences, and a factor on the draw of each mechanism.

With P the belief that a mechanism gains, its factor is 2^(2P - 1): 2 where it surely does, 1/2 where it surely costs, 1
where nothing is known. What was over-explored gets at most 0.8, what was hardly tried and never compared at least 1.2.
"""

import math
from collections.abc import Iterator
from typing import Final

from asi_arch.agents.english import capitalised, counted, listed
from asi_arch.agents.expectation import Expectation
from asi_arch.agents.reflection.findings import CLEAR, findings_of
from asi_arch.domain.agenda import Agenda, Credit, Findings, bounded
from asi_arch.domain.reflection import Hindsight

FEWEST_MEASURED: Final = 8
"""Inventions. With fewer nothing is said and nothing steered."""
_CROWDED, _RARE = 0.8, 1.2
_SHOWN = 3
_NAMED = 6
_FEWEST_SETTLED = 3
_WASTE_SHARE = 0.1


class StatisticsReflector:
    """A `Reflector` without a model: equal experiments give an equal agenda."""

    async def reflect(self, seen: Hindsight) -> Agenda:
        """What `agenda_of` gives."""
        return agenda_of(seen)


def agenda_of(seen: Hindsight) -> Agenda:
    """Sentences and weights from the statistics; with too little data one sentence that says so, and no weights."""
    found = findings_of(seen)
    if found.measured < FEWEST_MEASURED:
        text = (
            f"Too little is known to steer by: {counted(found.measured, 'invention')} measured,"
            f" {FEWEST_MEASURED} are needed."
        )
        return Agenda(snapshot=seen.snapshot, sentences=(text,), findings=found)
    return Agenda(
        snapshot=seen.snapshot,
        sentences=tuple(_sentences(found)) or (f"Nothing stands out among {found.measured} measured inventions.",),
        weights=weights_of(found),
        findings=found,
    )


def weights_of(found: Findings) -> dict[str, float]:
    """Factors that are not 1, within the bounds of `domain.agenda`."""
    weights = {credit.mechanism: 2 ** (2 * credit.gain.belief - 1) for credit in found.credits if credit.gain}
    for key in found.over_explored:
        weights[key] = min(weights.get(key, 1.0), _CROWDED)
    for key in found.hardly_tried:
        weights.setdefault(key, _RARE)
    rounded = {key: bounded(weights[key]) for key in sorted(weights)}
    return {key: weight for key, weight in rounded.items() if weight != 1.0}


def paying(found: Findings) -> list[Credit]:
    """Mechanisms that clearly gain, the surest first."""
    return _clear(found, 1)


def costing(found: Findings) -> list[Credit]:
    """Mechanisms that clearly cost, the surest first."""
    return _clear(found, -1)


def _clear(found: Findings, sign: int) -> list[Credit]:
    sure = [(c.gain.belief if sign > 0 else 1 - c.gain.belief, c) for c in found.credits if c.gain]
    return [c for belief, c in sorted(sure, key=lambda item: (-item[0], item[1].mechanism)) if belief >= CLEAR]


def _sentences(found: Findings) -> Iterator[str]:
    yield from _on_mechanisms(found)
    if found.over_explored:
        names = listed(found.over_explored[:_NAMED])
        yield f"Over-explored without a clear gain: {names}. Leave them for a while."
    for crowd in found.crowds[:1]:
        yield f"#{crowd.parent} has {crowd.children} of the last {crowd.of} inventions as children; look elsewhere too."
    if found.hardly_tried:
        names, rest = found.hardly_tried[:_NAMED], len(found.hardly_tried) - _NAMED
        more = f" and {rest} more" if rest > 0 else ""
        yield f"Hardly tried: {', '.join(names) if more else listed(names)}{more}."
    yield from _on_expectations(found)
    yield from _on_the_judge(found)
    yield from _on_waste(found)


def _on_mechanisms(found: Findings) -> Iterator[str]:
    gains, costs = paying(found), costing(found)
    if found.pairs and not gains and not costs:
        yield f"No mechanism stands out of the noise in {found.pairs} comparisons of a child with its parent."
    if gains:
        yield f"These mechanisms pay: {'; '.join(map(_credited, gains[:_SHOWN]))}."
    if costs:
        yield f"These cost more than they bring: {'; '.join(map(_credited, costs[:_SHOWN]))}."


def _credited(credit: Credit) -> str:
    """E.g. 'channel_decay (loss -0.021 nats, recall +3.1 points, in 5 comparisons)'."""
    numbers = [f"loss {credit.loss_nats.value:+.3f} nats"] if credit.loss_nats else []
    numbers += [f"recall {100 * credit.recall.value:+.1f} points"] if credit.recall else []
    told = ", ".join([*numbers, f"in {counted(credit.pairs, 'comparison')}"])
    return f"{credit.mechanism} ({told})"


def _on_expectations(found: Findings) -> Iterator[str]:
    failed = [
        f"{Expectation(kind.quantity, kind.direction).words} ({kind.missed} of {kind.met + kind.missed} missed)"
        for kind in found.forecasts
        if kind.met + kind.missed >= _FEWEST_SETTLED and kind.missed > kind.met
    ]
    if failed:
        yield f"Expectations that fail more often than not: {'; '.join(failed[:_SHOWN])}."


def _on_the_judge(found: Findings) -> Iterator[str]:
    """A correlation of n pairs is clear beyond about two standard errors, 2 / sqrt(n)."""
    score = next((rating for rating in found.ratings if rating.name == "score"), None)
    if score is None or score.correlation >= 2 / math.sqrt(score.inventions):
        return
    text = (
        f"the judge's score does not tell what measures well (correlation {score.correlation:+.2f} over"
        f" {counted(score.inventions, 'invention')})"
    )
    worst = [r for r in found.ratings if r is not score and r.correlation <= -2 / math.sqrt(r.inventions)]
    marks = [f"{rating.name} ({rating.correlation:+.2f})" for rating in worst]
    yield capitalised(f"{text}{f'; it over-rates {listed(marks)}' if marks else ''}.")


def _on_waste(found: Findings) -> Iterator[str]:
    spent = sum(waste.cpu_s for waste in found.waste)
    if found.cpu_s <= 0 or spent < _WASTE_SHARE * found.cpu_s:
        return
    kinds = [f"{waste.inventions} {_outcome(waste.outcome)}" for waste in found.waste]
    yield f"{spent / found.cpu_s:.0%} of the inventions' CPU time gave no result: {listed(kinds)}."


def _outcome(kind: str) -> str:
    return kind.replace("_", " ")
