"""Which of several minds has the next idea: fitness gained per cost, with room for those that were unlucky.

    index = (x + sqrt(ln T / n * min(1/4, v + sqrt(2 ln T / n)))) / c
    c     = 1 + usd / mean usd + seconds / mean seconds

x, v   mean and variance of a member's gains, each divided by the largest gain of any member, so between 0 and 1
n, T   subjects that it was asked about, and the sum of n over the members
usd, seconds   its own cost per subject that it answered about; the means are over the members, so that neither unit
       of money nor unit of time matters, and a free slow member can be compared with a dear fast one

The numerator is UCB1-Tuned (Auer, Cesa-Bianchi and Fischer 2002, section 4). Dividing an upper bound of the reward by
the mean cost is the density rule for bandits with a budget (KUBE, Tran-Thanh et al. 2012, arXiv 1204.1909). Minds as
arms, whose reward is the gain over the parent and never below zero, are as in ShinkaEvolve (Lange et al. 2025, arXiv
2509.19349). The 1 in c stands for the experiment, which costs the same whoever had the idea: what is free and instant
is not without cost, and no member of M is more than 1 + 2 M times as dear as another. Money is left out where the price
of one of them is not known, because an unknown price must not pass for a low one.

What is asked and not finished counts in n and not in x: it leaves the mean and narrows the bound, so that a batch is
not given to one member alone (Desautels, Krause and Burdick 2014). A member that was never asked comes first.

A member that could not be had, as a service that is down, costs nothing and would look cheap. So it has the mean cost
until it answers, and comes last for the next 2, 4, 8 ... up to `LONGEST_REST` subjects, the longer the more often in a
row it was away.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

LONGEST_REST: Final = 64


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
    unanswered: int = 0
    """Of `asked`, those about which it could not be had: no reply at all, not even a useless one."""
    away: int = 0
    """Of those, how many the latest are, in a row."""
    rested: int = 0
    """Subjects that anybody was asked about since it was last asked."""

    @property
    def answered(self) -> int:
        """Subjects about which it gave a reply."""
        return self.asked - self.unanswered

    @property
    def is_resting(self) -> bool:
        """Whether it is too early to try it again."""
        return self.away > 0 and self.rested < min(LONGEST_REST, 2 ** min(self.away, LONGEST_REST))


class Rated(NamedTuple):
    """A member with what it is worth."""

    member: str
    mean_gain: float | None
    """None before anything is finished."""
    cost: float
    """c above, 1 and more; the mean of the others' for a member that never answered."""
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
    """The members, best first, those that rest at the end; equal ones in their order."""
    pairs = sorted(zip(tallies, rated(tallies), strict=True), key=lambda pair: (pair[0].is_resting, -pair[1].index))
    return [tally.member for tally, _ in pairs]


def planned(tallies: Sequence[Tally], count: int) -> list[str]:
    """Who would be asked about the next `count` subjects if none of them were finished before the last is asked."""
    now, found = list(tallies), list[str]()
    for _ in range(count if now else 0):
        found.append(ranked(now)[0])
        now = [_after(tally, found[-1]) for tally in now]
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
    """Of each member, c above. One that never answered has no part in the means."""
    known = [tally for tally in tallies if tally.answered]
    prices = [tally.usd / tally.answered for tally in known if tally.usd is not None]
    usd = _mean(prices) if len(prices) == len(known) else 0.0
    seconds = _mean([tally.seconds / tally.answered for tally in known])
    found = {
        tally.member: 1.0 + _ratio(tally.usd, tally.answered, usd) + _ratio(tally.seconds, tally.answered, seconds)
        for tally in known
    }
    usual = _mean(list(found.values())) if found else 1.0
    return [found.get(tally.member, usual) for tally in tallies]


def _ratio(spent: float | None, answered: int, mean: float) -> float:
    """What one subject cost, in units of the mean; 0 where the mean is: nobody cost anything, or it does not count."""
    return 0.0 if spent is None or mean <= 0 else spent / answered / mean


def _after(tally: Tally, asked: str) -> Tally:
    """When `asked` was asked about one subject more: at its usual cost, or in vain where it never answered."""
    if tally.member != asked:
        return tally._replace(rested=tally.rested + 1)
    once_more = tally._replace(asked=tally.asked + 1, rested=0)
    if not tally.answered or tally.away:
        return once_more._replace(unanswered=tally.unanswered + 1, away=tally.away and tally.away + 1)
    share = (tally.answered + 1) / tally.answered
    usd = None if tally.usd is None else tally.usd * share
    return once_more._replace(usd=usd, seconds=tally.seconds * share)


def _mean(values: Sequence[float]) -> float:
    """0 without any."""
    return math.fsum(values) / len(values) if values else 0.0
