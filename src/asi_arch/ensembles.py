"""Composition of ensembles: the bandit of `search` with the campaign's record, for minds that share a role.

Which mind has the idea of experiment n follows from what was asked about experiments below n, and from the results
below the snapshot of n; so it does not depend on who finishes first. It is stored as an event before anybody is asked,
and an experiment that is taken up again by another process stays with the same mind.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.agents.minds.reviser import Decision
from asi_arch.domain.campaign import Event, EventKind
from asi_arch.domain.exchanges import SPOKEN, Exchange, Exchanges
from asi_arch.domain.minds import Role
from asi_arch.domain.ports import Store
from asi_arch.llm.ensemble import TakingTurns, at_the_end
from asi_arch.llm.lines import members_of
from asi_arch.llm.plan import MindPlan
from asi_arch.search.bandit import planned, ranked, rated
from asi_arch.search.ensemble import Asked, Idea, Usage, ideas_of, spent_by, usages
from asi_arch.search.sampling import Schedule


class Weighing:
    """`llm.ensemble.Choosing`: the bandit for the role that has the ideas, turns for all others."""

    def __init__(self, store: Store, exchanges: Exchanges, schedule: Schedule, inventor: "Inventors") -> None:
        """What is passed over is stored for every role."""
        self._store = store
        self._schedule = schedule
        self._inventor = inventor
        self._record = _Record(exchanges)
        self._turns = TakingTurns()
        events = store.events()
        self._orders = _stored_orders(events)
        self._passed = passed_in(events)
        self._ideas: tuple[int, Mapping[int, Idea]] = (0, {})

    def order(self, role: Role, subject: str, names: Sequence[str]) -> Sequence[str]:
        """Best first, for ideas by the bandit: chosen once for each experiment, and stored."""
        if not self._is_weighed(role, subject, names):
            return self._turns.order(role, subject, names)
        index = int(subject)
        known = self._orders.get(index, [])
        if sorted(known) != sorted(names):  # new, or the settings name others than they did
            known = self._orders[index] = self._chosen(index, role)
        return known

    def note_passed(self, role: Role, subject: str, names: Sequence[str], passed: str, reason: str) -> None:
        """Store it; the member comes last for whatever else is asked about the subject."""
        index = int(subject) if subject.isdecimal() else None
        payload = {"role": role.value, "mind": passed, "reason": reason}
        event = self._store.append(EventKind.MIND_PASSED_OVER, index, payload)
        self._passed += passed_in([event])
        if index is not None and self._is_weighed(role, subject, names):
            self._orders[index] = at_the_end(self._orders.get(index, names), [passed])
        else:
            self._turns.note_passed(role, subject, names, passed, reason)

    def _is_weighed(self, role: Role, subject: str, names: Sequence[str]) -> bool:
        """The Diversifier asks the mind that had the idea, where it has the same ones to ask."""
        return (
            role in (self._inventor.role, Role.DIVERSIFIER)
            and tuple(names) == self._inventor.members
            and subject.isdecimal()
        )

    def _chosen(self, index: int, role: Role) -> list[str]:
        attempts = [*self._record.read(), *self._passed]
        before = (one for one in attempts if one.subject.isdecimal() and int(one.subject) < index)
        found = usages(self._inventor.members, before, self._seen(self._schedule.snapshot(index)), self._inventor.roles)
        tallies = [usage.tally for usage in found]
        order = ranked(tallies)
        members = [
            {**one._asdict(), "index": one.index if math.isfinite(one.index) else None, "asked": tally.asked}
            for one, tally in zip(rated(tallies), tallies, strict=True)
        ]
        self._store.append(EventKind.MIND_CHOSEN, index, {"role": role.value, "order": order, "members": members})
        return order

    def _seen(self, snapshot: int) -> Mapping[int, Idea]:
        """What became of the ideas below the snapshot, which are finished; read once for each."""
        if self._ideas[0] != snapshot:
            store = self._store
            self._ideas = (
                snapshot,
                ideas_of(store.proposals(snapshot), store.summaries(snapshot), self._inventor.role),
            )
        return self._ideas[1]


class Inventors(NamedTuple):
    """The minds that have the ideas."""

    role: Role
    members: tuple[str, ...]

    @property
    def roles(self) -> frozenset[Role]:
        """In which they are asked for ideas."""
        return frozenset({self.role, Role.DIVERSIFIER})


def inventors(plan: MindPlan, role: Role | None) -> Inventors:
    """Of a plan; nobody where nobody has ideas."""
    if role is None:
        return Inventors(Role.RESEARCHER, ())
    return Inventors(role, tuple(str(spec) for spec in members_of(plan, role)))


class Standing(NamedTuple):
    """A member of an ensemble, as it is shown. None is what can't be said, or not yet."""

    role: str
    member: str
    questions: int
    usable: int | None
    """Ideas that became a proposal; None for roles without ideas."""
    experiments: int | None
    """Those of them that are finished."""
    mean_gain: float | None
    """Of fitness over the parent's, over all finished experiments that it was asked about."""
    usd: float | None
    seconds: float
    gain_per_cost: float | None
    following: int | None
    """Of the experiments of one batch, those whose idea it would be asked for now."""


def standings(store: Store | None, exchanges: Exchanges | None, plan: MindPlan, role: Role | None) -> list[Standing]:
    """All members of all ensembles of the plan; `role` has the ideas. What isn't there has nothing to say."""
    asked = [] if exchanges is None else _Record(exchanges).read()
    asked += [] if store is None else passed_in(store.events())
    ensembles = [(r, members) for r in Role if len(members := [str(spec) for spec in members_of(plan, r)]) > 1]
    found: list[Standing] = []
    weighed = inventors(plan, role)
    for one, members in ensembles:
        if one is role:
            found += _weighed(store, asked, weighed)
        elif not (one is Role.DIVERSIFIER and tuple(members) == weighed.members):
            found += [_standing(one, spent_by(member, asked, one)) for member in members]
    return found


def _weighed(store: Store | None, asked: Iterable[Asked], inventor: Inventors) -> list[Standing]:
    ideas = {} if store is None else ideas_of(store.proposals(), store.summaries(), inventor.role)
    found = usages(inventor.members, asked, ideas, inventor.roles)
    tallies = [usage.tally for usage in found]
    campaign = None if store is None else store.campaign()
    following = planned(tallies, campaign.profile.search.update_every) if campaign else None
    return [
        _standing(inventor.role, usage)._replace(
            experiments=usage.experiments,
            mean_gain=one.mean_gain,
            gain_per_cost=one.gain_per_cost,
            following=None if following is None else following.count(one.member),
        )
        for usage, one in zip(found, rated(tallies), strict=True)
    ]


def _standing(role: Role, usage: Usage) -> Standing:
    tally = usage.tally
    return Standing(
        role.value, tally.member, usage.questions, usage.usable, None, None, tally.usd, tally.seconds, None, None
    )


class _Record:
    """The attempts of a campaign, of which those that are settled are read once."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._settled: list[Asked] = []
        self._read_to = 0

    def read(self) -> list[Asked]:
        """All attempts, oldest first, but for authors' answers to their checker.

        These come while others' ideas are asked for, sooner or later as the checks take, and have no idea in them.
        """
        found: list[Asked] = []
        for exchange in self._exchanges.exchanges(self._read_to):
            attempt = [] if exchange.sent.request.form == Decision.__name__ else [asked_of(exchange)]
            if exchange.settlement is not None and exchange.number == self._read_to + 1:
                self._settled += attempt
                self._read_to = exchange.number
            else:
                found += attempt
        return [*self._settled, *found]


def asked_of(exchange: Exchange) -> Asked:
    """An attempt in short; at what was reserved while its end is open."""
    request, settlement = exchange.sent.request, exchange.settlement
    return Asked(
        subject=request.subject,
        role=request.role,
        mind=exchange.sent.mind,
        question=f"{request.role.value} {request.subject} {request.prompt.sha} {request.occurrence}",
        is_spoken=settlement is not None and settlement.reply.ending in SPOKEN,
        usd=exchange.sent.reserved.usd if settlement is None else settlement.spent.usd,
        seconds=0.0 if settlement is None else settlement.latency_s,
    )


def passed_in(events: Iterable[Event]) -> list[Asked]:
    """Members that were passed over, as attempts without a reply: some of them were before anything was sent."""
    return [
        Asked(
            subject=str(event.experiment),
            role=Role(event.payload["role"]),
            mind=str(event.payload["mind"]),
            question="",
            is_spoken=False,
            usd=0.0,
            seconds=0.0,
        )
        for event in events
        if event.kind is EventKind.MIND_PASSED_OVER and event.experiment is not None
    ]


def _stored_orders(events: Iterable[Event]) -> dict[int, list[str]]:
    """By experiment, as they were chosen last, with who was passed over since."""
    found: dict[int, list[str]] = {}
    for event in events:
        if event.experiment is None:
            continue
        if event.kind is EventKind.MIND_CHOSEN:
            found[event.experiment] = [str(name) for name in event.payload["order"]]
        elif event.kind is EventKind.MIND_PASSED_OVER and event.experiment in found:
            found[event.experiment] = at_the_end(found[event.experiment], [str(event.payload["mind"])])
    return found
