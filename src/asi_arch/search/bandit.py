"""Which of several minds has the next idea: fitness gained per cost, with room for those that were unlucky.

    index = (x + sqrt(ln T / n * min(1/4, v + sqrt(2 ln T / n)))) / c
    c     = 1 + usd / mean usd + seconds / mean seconds

x, v   mean and variance of a member's gains, each divided by the largest gain of any member, so between 0 and 1
n, T   subjects that it was asked about, and the sum of n over the members
usd, seconds   its own cost per subject; the means are over the members, so that neither unit of money nor unit of
       time matters, and a free slow member can be compared with a dear fast one

The numerator is UCB1-Tuned (Auer, Cesa-Bianchi and Fischer 2002, section 4). Dividing an upper bound of the reward by
the mean cost is the density rule for bandits with a budget (KUBE, Tran-Thanh et al. 2012, arXiv 1204.1909). Minds as
arms, whose reward is the gain over the parent and never below zero, are as in ShinkaEvolve (Lange et al. 2025, arXiv
2509.19349). The 1 in c stands for the experiment, which costs the same whoever had the idea: what is free and instant
is not without cost, and no member of M is more than 1 + 2 M times as dear as another. Money is left out where the price
of one of them is not known, because an unknown price must not pass for a low one.

What is asked and not finished counts in n and not in x: it leaves the mean and narrows the bound, so that a batch is
not given to one member alone (Desautels, Krause and Burdick 2014). A member that was never asked comes first.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Tally(NamedTuple):
    """What is known of one member."""

    member: str
    asked: int = 0
    """Subjects that it was asked about, whatever came of it."""
    gains: tuple[float, ...] = ()
    """One for each of them that is finished: fitness over the parent's, 0 where nothing came of its idea. Never below
    0."""
    usd: float | None = 0.0
    """All that was paid; None where a price is not known."""
    seconds: float = 0.0
    """All that it took to answer."""


class Rated(NamedTuple):
    """A member with what it is worth."""

    member: str
    mean_gain: float | None
    """None before anything is finished."""
    cost: float
    """c above: 1 and more; 1 for a member that was never asked."""
    gain_per_cost: float | None
    index: float  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    """By which members are ordered; infinite for one that was never asked."""


def rated(tallies: Sequence[Tally]) -> list[Rated]:
    """All members, in their order. A pure function of the tallies."""
    costs = _costs(tallies)
    total = sum(tally.asked for tally in tallies)
    largest = max((gain for tally in tallies for gain in tally.gains), default=0.0)
    return [_rated(tally, cost, total, largest) for tally, cost in zip(tallies, costs, strict=True)]


def ranked(tallies: Sequence[Tally]) -> list[str]:
    """The members, best first; equal ones in their order."""
    return [one.member for one in sorted(rated(tallies), key=lambda one: -one.index)]


def planned(tallies: Sequence[Tally], count: int) -> list[str]:
    """Who would be asked about the next `count` subjects if none of them were finished before the last is asked."""
    now, found = list(tallies), list[str]()
    for _ in range(count if now else 0):
        found.append(ranked(now)[0])
        now = [_with_one_more(tally) if tally.member == found[-1] else tally for tally in now]
    return found


def _rated(tally: Tally, cost: float, total: int, largest: float) -> Rated:
    if not tally.asked:
        return Rated(tally.member, None, cost, None, math.inf)
    mean_gain = _mean(tally.gains) if tally.gains else None
    scaled = [gain / largest if largest > 0 else 0.0 for gain in tally.gains]
    index = (_mean(scaled) + _bonus(scaled, tally.asked, total)) / cost
    return Rated(tally.member, mean_gain, cost, None if mean_gain is None else mean_gain / cost, index)


def _bonus(scaled: Sequence[float], asked: int, total: int) -> float:
    share = math.log(total) / asked
    centre = _mean(scaled)
    variance = _mean([(value - centre) ** 2 for value in scaled])
    return math.sqrt(share * min(0.25, variance + math.sqrt(2 * share)))


def _costs(tallies: Sequence[Tally]) -> list[float]:
    """Of each member, c above. One that was never asked has no part in the means."""
    asked = [tally for tally in tallies if tally.asked]
    prices = [tally.usd / tally.asked for tally in asked if tally.usd is not None]
    usd = _mean(prices) if len(prices) == len(asked) else 0.0
    seconds = _mean([tally.seconds / tally.asked for tally in asked])
    return [
        1.0 + _ratio(tally.usd, tally.asked, usd) + _ratio(tally.seconds, tally.asked, seconds) for tally in tallies
    ]


def _ratio(spent: float | None, asked: int, mean: float) -> float:
    """What one subject cost, in units of the mean; 0 where the unit is 0, so where none cost anything or counts."""
    return 0.0 if spent is None or not asked or mean <= 0 else spent / asked / mean


def _with_one_more(tally: Tally) -> Tally:
    """Asked once more, at its usual cost."""
    share = (tally.asked + 1) / tally.asked if tally.asked else 1.0
    usd = None if tally.usd is None else tally.usd * share
    return tally._replace(asked=tally.asked + 1, usd=usd, seconds=tally.seconds * share)


def _mean(values: Sequence[float]) -> float:
    """0 without any."""
    return math.fsum(values) / len(values) if values else 0.0
