"""Campaigns made of random numbers, to count what each rule of discovery finds and what it imagines.

T trials, of which a share is truly better by `effect` standard deviations of the noise between seeds. Every training is
normal about its model's true loss, independently of all others; the candidates share the baseline's trainings, as in a
campaign.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asi_arch.stats.moderated import moderated, variance_prior
from asi_arch.stats.paired import paired_comparison
from asi_arch.stats.promotion import Look, entrant_q_values, refusals

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Design(NamedTuple):
    """A campaign: its size, its truth, and how it is searched and verified."""

    trials: int = 1773
    true_share: float = 0.01
    effect: float = 2.0
    screen_seeds: int = 2
    verified: int = 20
    """How many of the fittest get fresh seeds."""
    fresh_seeds: int = 6


class Found(NamedTuple):
    """Mean numbers of discoveries of a campaign under a rule."""

    rule: str
    false: float
    true: float
    campaigns_misled: float
    """Share of the campaigns with at least one false discovery."""


def discoveries(design: Design, rng: np.random.Generator, *, campaigns: int = 20) -> tuple[Found, Found]:
    """What 'lower than the baseline once' and our gates find in simulated campaigns."""
    count = round(design.trials * design.true_share)
    truth = np.zeros(design.trials)
    truth[:count] = -design.effect
    rules: dict[str, Callable[[Floats], Indices]] = {
        "lower loss than the baseline once": lambda screen: np.flatnonzero(screen < 0),
        "screen, fresh seeds, q": lambda screen: _gated(design, truth, screen, rng),
    }
    tallies: dict[str, list[tuple[int, int]]] = {rule: [] for rule in rules}
    for _ in range(campaigns):
        screen = _screened(design, truth, rng)
        for rule, choose in rules.items():
            kept = choose(screen)
            is_true = truth[kept] < 0
            tallies[rule].append((int(np.sum(~is_true)), int(np.sum(is_true))))
    once, gates = (_found(rule, tally) for rule, tally in tallies.items())
    return once, gates


def false_promotions(rng: np.random.Generator, *, verifications: int, fresh_seeds: int, others: int) -> float:
    """Share of A/A verifications that the gates promote: the first of a campaign, beside `others` equal baselines."""
    promoted = sum(
        bool(_promoted(rng.standard_normal((1 + others, fresh_seeds)), rng.standard_normal(fresh_seeds), entered=1))
        for _ in range(verifications)
    )
    return promoted / verifications


def _screened(design: Design, truth: Floats, rng: np.random.Generator) -> Floats:
    """Loss of every trial minus the baseline's, on the search's seeds."""
    noise = rng.standard_normal((design.trials + 1, design.screen_seeds)).mean(axis=1)
    return truth + noise[1:] - noise[0]


def _gated(design: Design, truth: Floats, screen: Floats, rng: np.random.Generator) -> Indices:
    """The fittest, those of them that are promoted."""
    fittest = np.argsort(screen, kind="stable")[: design.verified]
    candidates = truth[fittest, None] + rng.standard_normal((len(fittest), design.fresh_seeds))
    promoted = _promoted(candidates, rng.standard_normal(design.fresh_seeds), entered=len(fittest))
    return fittest[np.asarray(promoted, dtype=np.intp)]


def _promoted(models: Floats, baseline: Floats, *, entered: int) -> list[int]:
    """Places of the first `entered` models that pass; the others only tell how much variances differ."""
    prior = variance_prior((models - baseline).tolist())
    seeds = range(len(baseline))
    plain = [
        paired_comparison(row, baseline.tolist(), seeds=seeds, baseline="baseline", quantity="language loss")
        for row in models[:entered].tolist()
    ]
    looks = [Look(str(place), moderated(comparison, prior)) for place, comparison in enumerate(plain)]
    q = entrant_q_values(looks)
    return [int(look.sha) for look in looks if not refusals([look.comparison], q[look.sha], entered)]


def _found(rule: str, tally: list[tuple[int, int]]) -> Found:
    false, true = (float(np.mean([pair[k] for pair in tally])) for k in (0, 1))
    return Found(rule, false, true, float(np.mean([pair[0] > 0 for pair in tally])))
