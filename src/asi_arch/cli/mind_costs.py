"""What minds are expected to cost: from the record of this folder, else bounds from the prompts' sizes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from asi_arch.agents.composer import CATALOGUE
from asi_arch.agents.minds import checker, debugger, designer, judge, reflector, researcher
from asi_arch.agents.minds.novelty import MOST_SENT_BACK
from asi_arch.agents.reflection import FEWEST_MEASURED
from asi_arch.app import baseline
from asi_arch.domain.agenda import Agenda, Credit, Effect, Findings
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.exchanges import Ending, Exchange, Request
from asi_arch.domain.extras import is_installed
from asi_arch.domain.minds import Role
from asi_arch.domain.outcome import CheckReport, Crashed
from asi_arch.domain.ports import Brief, Evidence, Known
from asi_arch.domain.profile import Policy, Profile
from asi_arch.engine.repairing import MAX_REPAIRS
from asi_arch.llm.asking import REASKS, request_of
from asi_arch.llm.lines import parsed
from asi_arch.llm.plan import PLACES, MindPlan
from asi_arch.llm.prices import Tariff, free, is_own_machine, largest_prompt, tariff_of
from asi_arch.minds import ON_DEMAND, idea_role, is_asked
from asi_arch.novelty import diversifying
from asi_arch.store.exchanges import FILE, SqliteExchanges

RECORDED: Final = "recorded here"
BOUND: Final = "bound from prompts"
UNKNOWN: Final = "not known"
_COMPLAINT_TOKENS: Final = 300


class Amount(NamedTuple):
    """Calls or tokens, from the best case to the worst; both are the same where the record tells."""

    low: int
    high: int


class Money(NamedTuple):
    """In USD, likewise."""

    low: float
    high: float


class RoleCost(NamedTuple):
    """What one role is expected to cost."""

    role: str
    mind: str
    calls: Amount | None
    tokens: Amount | None
    usd: Money | None
    """None where the price is not known."""
    basis: str


class Ahead(NamedTuple):
    """How much thinking is to come."""

    inventions: int
    agendas: int


class Recorded(NamedTuple):
    """What was recorded of one role."""

    calls: int
    tokens: int
    input_tokens: float | None
    """In the mean over the replies that were counted; None without one."""
    output_tokens: float | None


def asked_roles(plan: MindPlan, profile: Profile) -> list[Role]:
    """Who is asked in a campaign of this profile. The random arm asks nobody."""
    if profile.search.policy is Policy.RANDOM:
        return []
    return [role for role in Role if role not in ON_DEMAND and is_asked(plan, role, profile.agents)]


def role_costs(
    plan: MindPlan, profile: Profile, ahead: Ahead, recorded: Mapping[Role, Recorded], invented: int
) -> list[RoleCost]:
    """One for every role that is asked. `recorded` belongs to `invented` inventions of the same folder."""
    plan = diversifying(plan, idea_role(plan))
    return [
        _from_record(plan, role, known, ahead.inventions / invented)
        if (known := recorded.get(role)) and invented
        else _bound(plan, profile, role, ahead)
        for role in asked_roles(plan, profile)
    ]


def recorded_in(folder: Path) -> dict[Role, Recorded]:
    """By role, from the folder's exchanges; nothing where there are none."""
    if not (folder / FILE).is_file():
        return {}
    exchanges = SqliteExchanges.open(folder, read_only=True)
    try:
        return recorded_of(exchanges.exchanges())
    finally:
        exchanges.close()


def recorded_of(exchanges: Iterable[Exchange]) -> dict[Role, Recorded]:
    """Attempts that were never answered count as calls where they were charged."""
    found: dict[Role, list[Exchange]] = {}
    for exchange in exchanges:
        found.setdefault(exchange.sent.request.role, []).append(exchange)
    return {role: _sum(items) for role, items in found.items()}


def tariff_for(plan: MindPlan, mind: str) -> Tariff:
    """Of a mind as in the settings; one that says 'not known' where the price list is not installed."""
    spec = parsed(mind, plan)
    service = None if spec.service in PLACES else plan.service(spec.service)
    if service is None:
        return free
    has_own = spec.model in service.prices or "*" in service.prices or is_own_machine(service.url)
    if not has_own and not is_installed("genai_prices"):
        return lambda _in, _out: None
    return tariff_of(spec.service, service, spec.model)


def _sum(items: Sequence[Exchange]) -> Recorded:
    settled = [item.settlement for item in items if item.settlement is not None]
    spent = [s.spent for s in settled if s.reply.ending is not Ending.FAILED]
    counted = [
        (s.reply.input_tokens, s.reply.output_tokens)
        for s in settled
        if s.reply.input_tokens is not None and s.reply.output_tokens is not None
    ]
    means = [sum(pair[side] for pair in counted) / len(counted) for side in (0, 1)] if counted else [None, None]
    return Recorded(sum(c.calls for c in spent), sum(c.tokens for c in spent), means[0], means[1])


def _from_record(plan: MindPlan, role: Role, known: Recorded, times: float) -> RoleCost:
    """The record's calls per invention, at the price of the mind that answers now, or from the cheapest of several to
    the dearest.
    """
    calls, tokens = round(known.calls * times), round(known.tokens * times)
    prices: list[float | None] = []
    for mind in plan.specs(role):
        tariff = tariff_for(plan, mind)
        each: float | None = 0.0 if tariff is free else None
        if known.input_tokens is not None and known.output_tokens is not None:
            each = tariff(round(known.input_tokens), round(known.output_tokens))
        prices.append(each)
    money = _between([None if each is None else Money(each * calls, each * calls) for each in prices])
    return RoleCost(role.value, _named(plan, role), Amount(calls, calls), Amount(tokens, tokens), money, RECORDED)


def _bound(plan: MindPlan, profile: Profile, role: Role, ahead: Ahead) -> RoleCost:
    """A prompt of the usual size at two bytes a token, and a reply as long as it may be.

    A question that is asked again quotes the replies so far: in the mean over its tries, half of `REASKS` replies.
    """
    mind, example = _named(plan, role), _EXAMPLES.get(role)
    calls = _calls(role, ahead, is_answering=role is Role.RESEARCHER and is_asked(plan, Role.CHECKER, profile.agents))
    if example is None:
        return RoleCost(role.value, mind, calls, None, None, UNKNOWN)
    request = example(plan, profile)
    reply, once = request.max_tokens, largest_prompt(request)
    again = once + REASKS * (reply + _COMPLAINT_TOKENS) // 2
    tokens = Amount((once + reply) * calls.low, (again + reply) * calls.high)
    prices: list[Money | None] = []
    for tariff in (tariff_for(plan, one) for one in plan.specs(role)):
        low, high = tariff(once, reply), tariff(again, reply)
        prices.append(None if low is None or high is None else Money(low * calls.low, high * calls.high))
    return RoleCost(role.value, mind, calls, tokens, _between(prices), BOUND)


def _named(plan: MindPlan, role: Role) -> str:
    return ", ".join(plan.specs(role))


def _between(prices: Sequence[Money | None]) -> Money | None:
    """From the least that the members of an ensemble take to the most: any of them may be asked every time."""
    known = [price for price in prices if price is not None]
    if not known or len(known) < len(prices):
        return None
    return Money(min(price.low for price in known), max(price.high for price in known))


def _calls(role: Role, ahead: Ahead, *, is_answering: bool = False) -> Amount:
    """The lower number: each answer is usable and nothing fails. The higher: every question is asked again as often
    as it may be, every program fails as often as it is mended, and each is doubted. `is_answering`: doubts come here.
    """
    asked = REASKS + 1
    most_per_invention = {
        Role.DEBUGGER: MAX_REPAIRS,
        Role.NOVELTY: 1 + MOST_SENT_BACK,
        Role.DIVERSIFIER: MOST_SENT_BACK,
    }
    if most := most_per_invention.get(role):
        return Amount(0, ahead.inventions * most * asked)
    count = ahead.agendas if role is Role.REFLECTOR else ahead.inventions
    count *= judge.SAMPLES if role is Role.JUDGE else 1
    return Amount(count, count * asked * (2 if is_answering else 1))


def _brief(profile: Profile) -> Brief:
    first, *others = (baseline(name) for name in profile.search.baselines)
    references = others[: profile.search.references] if profile.agents.references else []
    return Brief(first, references, 0, tuple(range(2, 2 + len(references))), {}, Known)


def _parent(profile: Profile) -> Proposal:
    return baseline(profile.search.baselines[0])


def _research(plan: MindPlan, profile: Profile) -> Request:
    brief = _brief(profile)
    if plan.program == researcher.Form.EDITS.value:
        return request_of(researcher.question_for_edits(brief, brief.known(), _parent(profile)))
    return request_of(researcher.question_for_program(brief, brief.known()))


def _design(_: MindPlan, profile: Profile) -> Request:
    brief = _brief(profile)
    return request_of(designer.question(brief, brief.known()))


def _check(_: MindPlan, profile: Profile) -> Request:
    return request_of(checker.question(1, _parent(profile), CheckReport(sha="", passed_checks=("causality",) * 12)))


def _debug(_: MindPlan, profile: Profile) -> Request:
    failure = debugger.Failure(Crashed(reason="RuntimeError: shapes do not fit", log="line of a traceback\n" * 40))
    return request_of(debugger.question(1, _parent(profile), failure))


def _reflect(_: MindPlan, __: Profile) -> Request:
    effect = Effect(value=0.05, error=0.02)
    keys = list(CATALOGUE)
    credit = {"tried": 10, "recent": 3, "pairs": 9, "gain": effect, "loss_nats": effect, "recall": effect}
    findings = Findings(
        inventions=100,
        measured=max(90, FEWEST_MEASURED),
        pairs=80,
        credits=tuple(Credit.model_validate({"mechanism": key, **credit}) for key in keys[: len(keys) // 2]),
        hardly_tried=tuple(keys[len(keys) // 2 :]),
    )
    sentences = ("A sentence as long as they usually are, with names of mechanisms and numbers beside them.",) * 7
    return request_of(reflector.question(Agenda(snapshot=100, sentences=sentences, findings=findings)))


def _judged(_: MindPlan, profile: Profile) -> Request:
    first, *others = (baseline(name) for name in profile.search.baselines)
    return request_of(judge.question(first, Evidence(None, None, (), others, None), judge.SAMPLES - 1, judge.SAMPLES))


def _diverted(plan: MindPlan, profile: Profile) -> Request:
    return (_design if idea_role(plan) is Role.DESIGNER else _research)(plan, profile)


_EXAMPLES: Final[Mapping[Role, Callable[[MindPlan, Profile], Request]]] = {
    Role.RESEARCHER: _research,
    Role.DESIGNER: _design,
    Role.CHECKER: _check,
    Role.DEBUGGER: _debug,
    Role.REFLECTOR: _reflect,
    Role.DIVERSIFIER: _diverted,
    Role.JUDGE: _judged,
}
