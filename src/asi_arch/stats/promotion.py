"""What may be claimed: the gates between a search and a discovery.

G1, the screen: the search's own seeds choose whom to look at again, and claim nothing. G2, fresh paired seeds
(`refusals`): candidate and baseline are trained again with seeds that the search never used, and scored on text that it
never saw. G3, the vault (`vault_refusals`): whom G2 lets through is scored once more on text of its own, blind, and
every opening is counted.

Every look enters the correction for multiplicity, a second look at the same candidate with more seeds too: else one
could go on until chance is kind.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from asi_arch.domain.verdict import BlindComparison, Comparison, Interval, Verdict
from asi_arch.stats.multiplicity import q_values
from asi_arch.stats.special import beta_quantile
from asi_arch.stats.wording import is_better, is_distinguishable, is_loss, q_text

DISCOVERY_Q = 0.1
"""Share of false discoveries that is accepted among all that were verified."""
FEWEST_SEEDS = 4
"""Fresh seeds that a promotion needs."""
ALPHA = 0.05
"""How often a promotion may happen to the baseline under another name."""


class Look(NamedTuple):
    """A test that entered the campaign: who, and its comparison with the reference."""

    sha: str
    comparison: Comparison


def entrants(verdicts: Iterable[Verdict], baseline: str) -> list[Look]:
    """Every look at the language loss against `baseline`, oldest first; the same seeds again are the same look."""
    found: dict[tuple[str, tuple[int, ...]], Look] = {}
    for verdict in verdicts:
        for comparison in verdict.comparisons:
            if comparison.baseline == baseline and is_loss(comparison.quantity):
                key = (verdict.sha, comparison.seeds)
                found.pop(key, None)
                found[key] = Look(verdict.sha, comparison)
    return list(found.values())


def entrant_q_values(looks: Sequence[Look]) -> dict[str, float]:
    """q-value of everybody's latest look, corrected for all looks, by source."""
    return dict(zip([look.sha for look in looks], q_values([look.comparison.p_value for look in looks]), strict=True))


def refusals(comparisons: Sequence[Comparison], q_value: float | None, looks: int) -> list[str]:
    """Why these comparisons with the reference are no discovery; empty where they are one.

    It takes a language loss that is distinguishably lower, q at most `DISCOVERY_Q`, no distinguishable loss in any
    other quantity, and `FEWEST_SEEDS` fresh seeds.
    """
    loss = next((c for c in comparisons if is_loss(c.quantity)), None)
    if loss is None or q_value is None:
        return ["it was not compared with the reference"]
    found: list[str] = []
    if len(loss.seeds) < FEWEST_SEEDS:
        found.append(f"{len(loss.seeds)} fresh seeds, and promotion needs {FEWEST_SEEDS}")
    if not is_better(loss):
        word = "worse than" if is_distinguishable(loss) else "not distinguishable from"
        found.append(f"{loss.quantity} {word} {loss.baseline}")
    elif q_value > DISCOVERY_Q:
        found.append(f"{q_text(q_value)} over {looks} verifications, and promotion needs {DISCOVERY_Q:g}")
    worse = [c for c in comparisons if not is_loss(c.quantity) and is_distinguishable(c) and not is_better(c)]
    return found + [f"{c.quantity} worse than {c.baseline}" for c in worse]


def vault_refusals(comparisons: Sequence[BlindComparison]) -> list[str]:
    """Why the vault does not bear it out; empty where it does.

    The interval of the language loss must lie below zero, and no other quantity's may lie on the worse side.
    """
    found: list[str] = []
    for item in comparisons:
        low, high = (item.difference.low, item.difference.high)
        gain = (-high, -low) if is_loss(item.quantity) else (low, high)
        if gain[1] < 0:
            found.append(f"in the vault, blind: {item.quantity} worse than {item.baseline}")
        elif gain[0] <= 0 and is_loss(item.quantity):
            found.append(f"in the vault, blind: {item.quantity} not distinguishable from {item.baseline}")
    return found


def proportion(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """A share with its exact interval (Clopper & Pearson 1934).

    low = B(a/2; k, n - k + 1) and high = B(1 - a/2; k + 1, n - k), B the quantile of the beta distribution. Raises
    `ValueError` unless 0 <= successes <= trials and trials > 0.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"successes lie between 0 and the number of trials, got {successes} of {trials}")
    tail = (1 - confidence) / 2
    low = beta_quantile(successes, trials - successes + 1, tail) if successes else 0.0
    high = beta_quantile(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return Interval(estimate=successes / trials, low=low, high=high, confidence=confidence)
