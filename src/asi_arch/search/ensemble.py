"""What the record says of the members of an ensemble: whom they were asked about, what it cost, what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Summary
from asi_arch.domain.minds import Role
from asi_arch.search.bandit import Tally

THOUGHT_BY_MINDS = frozenset({Author.DESIGNER, Author.MODEL})
"""Authors whose idea was a mind's."""


class Asked(NamedTuple):
    """One attempt to get an answer, as far as it matters here."""

    subject: str
    role: Role
    mind: str
    question: str
    """Equal for all attempts at one question, the first as well as those after a complaint; empty for a member that was
    passed over before anything was sent."""
    is_spoken: bool
    """Whether there was a reply, of whatever worth."""
    usd: float | None
    seconds: float


class Idea(NamedTuple):
    """What became of one experiment's idea."""

    role: Role | None
    """In which role it was asked for; None where it is no mind's."""
    gain: float | None
    """None while it is not finished."""


class Usage(NamedTuple):
    """What a member did in a role, in numbers to be shown."""

    questions: int
    usable: int | None
    """Ideas of its that became a proposal; None for roles that have no ideas."""
    experiments: int | None
    """Those of them that are finished."""
    tally: Tally


def ideas_of(proposals: Mapping[int, Proposal], finished: Iterable[Summary], inventor: Role) -> dict[int, Idea]:
    """By index of the experiment. `finished` holds all summaries that may be looked at, with their fitness.

    The gain is fitness minus that of the parent, or of the reference baseline where there is no parent or where it has
    no fitness; never below 0, and 0 for what was rejected, crashed or vetoed.
    """
    known = {summary.index: summary for summary in finished}
    found: dict[int, Idea] = {}
    for index, proposal in proposals.items():
        if proposal.author is not Author.BASELINE:
            is_elsewhere = proposal.novelty is not None and bool(proposal.novelty.discipline)
            role = Role.DIVERSIFIER if is_elsewhere else inventor
            gain = _gain(known[index], known) if index in known else None
            found[index] = Idea(role if proposal.author in THOUGHT_BY_MINDS else None, gain)
    return found


def usages(
    members: Sequence[str], asked: Iterable[Asked], ideas: Mapping[int, Idea], roles: frozenset[Role]
) -> list[Usage]:
    """Of each member, in order. `asked` may hold any attempt; those of other roles or about nothing are left out."""
    about: dict[int, list[Asked]] = {}
    for one in asked:
        if one.role in roles and one.subject.isdecimal():
            about.setdefault(int(one.subject), []).append(one)
    thinkers = {index: _thinker(attempts, ideas.get(index)) for index, attempts in about.items()}
    return [_usage(member, about, ideas, thinkers) for member in members]


def _usage(
    member: str, about: Mapping[int, Sequence[Asked]], ideas: Mapping[int, Idea], thinkers: Mapping[int, str]
) -> Usage:
    own = {i: mine for i, attempts in about.items() if (mine := [one for one in attempts if one.mind == member])}
    gains: list[float] = []
    for index in sorted(own):
        idea = ideas.get(index)
        # Who could not be reached is not to blame for what somebody else thought of.
        if idea is not None and idea.gain is not None and any(one.is_spoken for one in own[index]):
            gains.append(idea.gain if thinkers[index] == member else 0.0)
    silent = [not any(one.is_spoken for one in own[index]) for index in sorted(own)]
    attempts = [one for index in sorted(own) for one in own[index]]
    thought = [ideas[index] for index in own if thinkers[index] == member]
    return Usage(
        questions=len({one.question for one in attempts if one.question}),
        usable=len(thought),
        experiments=sum(idea.gain is not None for idea in thought),
        tally=Tally(
            member,
            len(own),
            tuple(gains),
            _paid(attempts),
            sum(one.seconds for one in attempts),
            unanswered=sum(silent),
            away=next((length for length, is_silent in enumerate(reversed(silent)) if not is_silent), len(silent)),
            rested=sum(index > max(own) for index in about) if own else 0,
        ),
    )


def spent_by(member: str, asked: Iterable[Asked], role: Role) -> Usage:
    """Of a member in a role that has no ideas; what it was asked about is counted by subject."""
    own = [one for one in asked if one.role is role and one.mind == member]
    tally = Tally(member, len({one.subject for one in own}), (), _paid(own), sum(one.seconds for one in own))
    return Usage(len({one.question for one in own}), None, None, tally)


def _paid(attempts: Iterable[Asked]) -> float | None:
    prices = [one.usd for one in attempts]
    return None if None in prices else sum(price for price in prices if price is not None)


def _thinker(attempts: Sequence[Asked], idea: Idea | None) -> str:
    """Who had the idea that was taken: the last that spoke in its role; empty where none of them did."""
    if idea is None or idea.role is None:
        return ""
    return next((one.mind for one in reversed(attempts) if one.is_spoken and one.role is idea.role), "")


def _gain(summary: Summary, known: Mapping[int, Summary]) -> float:
    parent = known.get(-1 if summary.parent is None else summary.parent)
    before = parent.fitness if parent is not None else None
    if before is None and 0 in known:
        before = known[0].fitness
    return 0.0 if summary.fitness is None or before is None else max(0.0, summary.fitness - before)
