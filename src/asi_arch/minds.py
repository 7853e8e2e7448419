"""The composition of language models, beside the composition root because it names the concrete classes too."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom

from asi_arch.agents.english import counted
from asi_arch.agents.minds.analyst import MindAnalyst
from asi_arch.agents.minds.checker import MindChecker
from asi_arch.agents.minds.debugger import MindDebugger
from asi_arch.agents.minds.designer import Designer
from asi_arch.agents.minds.fallback import Relieved
from asi_arch.agents.minds.judge import MindJudge
from asi_arch.agents.minds.novelty import NoveltyGate
from asi_arch.agents.minds.reflector import MindReflector
from asi_arch.agents.minds.researcher import Form, Inventor
from asi_arch.agents.minds.reviser import MindReviser
from asi_arch.agents.minds.summariser import Briefed, Summariser
from asi_arch.app import require_containment
from asi_arch.domain.exchanges import Exchanges
from asi_arch.domain.minds import Role
from asi_arch.domain.ports import Researcher
from asi_arch.domain.profile import AgentsSpec, Policy
from asi_arch.domain.revisions import Reviewers
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import Said
from asi_arch.ensembles import Weighing, inventors
from asi_arch.folders import CLOCK
from asi_arch.keys import found_keys
from asi_arch.llm.budgets import Purse
from asi_arch.llm.ensemble import Choosing
from asi_arch.llm.ledger import Ledger
from asi_arch.llm.lines import Surroundings, open_lines, remote_services
from asi_arch.llm.mind import Minds
from asi_arch.llm.plan import GGUF, INBOX, MindPlan
from asi_arch.llm.redact import Redactor
from asi_arch.novelty import ROLES as NOVELTY_ROLES
from asi_arch.novelty import diversifying, open_motivations
from asi_arch.papers import Reporting, open_library, open_likeness
from asi_arch.search.sampling import Schedule
from asi_arch.settings import Settings
from asi_arch.store.exchanges import SqliteExchanges

ON_DEMAND = frozenset({Role.EXTRACTOR, Role.COMPONENTS, Role.PROVENANCE})
"""Roles that a command of its own asks, and no campaign."""
SWITCHES: Mapping[str, frozenset[Role]] = {
    "analysis": frozenset({Role.ANALYST, Role.SUMMARISER}),
    "judge": frozenset({Role.JUDGE}),
    "novelty": NOVELTY_ROLES,
    "reflection": frozenset({Role.REFLECTOR}),
    "checking": frozenset({Role.CHECKER}),
    "references": frozenset({Role.SUMMARISER}),
}
"""Whom each field of a profile's `[agents]` lets be asked; `cognition` lets nobody but the literature."""


@asynccontextmanager
async def opened_minds(
    plan: MindPlan,
    folder: Path,
    *,
    warn: Callable[[str], None],
    tell: Callable[[str], None] = lambda _: None,
    is_owner: bool = True,
    choosing: Callable[[Exchanges], Choosing | None] = lambda _: None,
) -> AsyncGenerator[Minds, None]:
    """Minds that record in `folder` and `tell` whom they ask.

    Whoever holds the folder's lock is the owner, and settles what a dead process left open. While inside, the keys are
    taken out of every text that is recorded, logged or raised. Minds that share a role take turns, unless `choosing`
    knows better from the record.
    """
    exchanges: Exchanges = SqliteExchanges.open(folder)
    try:
        keys = found_keys(plan, remote_services(plan))
        redactor = Redactor(keys.values())
        purse = Purse(plan.budgets, exchanges, warn)
        ledger = Ledger(exchanges, purse, redactor, now=CLOCK.now, tick=CLOCK.tick)
        if is_owner and (left := ledger.settle_lost()):
            warn(f"{counted(left, 'call')} to minds cut off by the end of a process, counted at what was reserved")
        around = Surroundings(plan, keys, _reading, SystemRandom(), CLOCK.tick)
        with redactor.guarding_logs():
            minds = Minds(open_lines(around), ledger, tell=tell, choosing=choosing(exchanges))
            try:
                yield minds
            finally:
                await minds.close()
    finally:
        exchanges.close()


async def require_minds(plan: MindPlan) -> None:
    """Raises `UserError` for a missing key, extra, model file or record, before anything is made or started."""
    keys = found_keys(plan, remote_services(plan))
    lines = open_lines(Surroundings(plan, keys, _reading, SystemRandom(), CLOCK.tick))
    for line in (line for members in lines.values() for line in members):
        await line.backend.close()


@asynccontextmanager
async def thinking(bench: Bench, folder: Path, settings: Settings) -> AsyncGenerator[Bench, None]:
    """The bench with agents that ask the minds of the settings; as it is where they name none.

    The random arm is a control and asks nobody. Raises `UserError` where programs of a mind could not be kept in.
    """

    def say(text: str) -> None:
        bench.listen(Said(text))

    inventor = idea_role(settings.minds)
    reflects = bench.reflector is not None
    agents = bench.campaign.profile.agents.model_copy(update={"reflection": reflects})
    plan = diversifying(settings.minds, inventor)
    _tell_who_is_not_asked(settings.minds, agents, say)
    beside = {role for role in (Role.ANALYST, Role.JUDGE, Role.REFLECTOR) if is_asked(plan, role, agents)}
    if inventor is None and not beside:
        yield bench
        return
    if bench.campaign.profile.search.policy is Policy.RANDOM:
        say("the random arm is a control: no mind is asked")
        yield bench
        return
    if inventor is Role.RESEARCHER or is_asked(plan, Role.DEBUGGER):
        require_containment(settings, "A language model's programs are run in no other way")

    def weighing(exchanges: Exchanges) -> Choosing:
        schedule = Schedule(bench.campaign.profile.search)
        return Weighing(bench.store, exchanges, schedule, inventors(plan, inventor))

    async with opened_minds(plan, folder, warn=say, tell=say, choosing=weighing) as minds:
        if Role.ANALYST in beside:
            bench = bench._replace(analyst=MindAnalyst(minds, bench.analyst, say))
        if Role.JUDGE in beside:
            bench = bench._replace(judge=MindJudge(minds, bench.judge, say=say, is_brief=judges_in_brief(plan)))
        if Role.REFLECTOR in beside and bench.reflector is not None:
            bench = bench._replace(reflector=MindReflector(minds, bench.reflector, say))
        yield bench if inventor is None else _inventing(bench, minds, settings, plan, say)


def _inventing(bench: Bench, minds: Minds, settings: Settings, plan: MindPlan, say: Callable[[str], None]) -> Bench:
    """The bench with a mind that has the ideas, and all that stands by it."""
    agents = bench.campaign.profile.agents
    researcher: Researcher = Designer(minds)
    if idea_role(settings.minds) is Role.RESEARCHER:
        researcher = Inventor(minds, Form(plan.program))
    if agents.novelty:
        motivations = open_motivations(bench.campaign, settings, say)
        researcher = NoveltyGate(researcher, motivations, minds if is_asked(plan, Role.NOVELTY) else None, say)
    if is_asked(plan, Role.SUMMARISER, agents):
        researcher = Briefed(researcher, Summariser(minds), say)
    if plan.when_silent == "compose":
        researcher = Relieved(researcher, bench.researcher, say)
    return bench._replace(
        researcher=researcher,
        cognition=open_library(settings, Reporting(say=say)) if agents.cognition else None,
        debugger=MindDebugger(minds) if can_debug(plan) else None,
        reviewers=Reviewers(MindChecker(minds), MindReviser(minds)) if is_asked(plan, Role.CHECKER, agents) else None,
        likeness=open_likeness(),
        ahead=plan.ahead,
    )


def _tell_who_is_not_asked(plan: MindPlan, agents: AgentsSpec, say: Callable[[str], None]) -> None:
    """Of the roles that have a mind of their own."""
    for role in sorted(plan.roles):
        for switch, roles in SWITCHES.items():
            if role in roles and not getattr(agents, switch):
                say(f"the profile says [agents] {switch} = false, so the {role.value} is not asked")
    if plan.roles.get(Role.CHECKER) and idea_role(plan) is not Role.RESEARCHER:
        say("the checker reads programs that a researcher wrote, and none writes here, so it is not asked")


def idea_role(plan: MindPlan) -> Role | None:
    """Who has the ideas: the role that is named, else the one that suits the default; None where there is no mind.

    A local model fills in a form and the composer writes the code, because small models write wrong code.
    """
    for role in (Role.RESEARCHER, Role.DESIGNER):
        if plan.roles.get(role):
            return role
    if not plan.default:
        return None
    return Role.DESIGNER if _is_local(plan.default) else Role.RESEARCHER


def can_debug(plan: MindPlan) -> bool:
    """Whether failures go to a debugger."""
    return can_play(plan, Role.DEBUGGER)


def can_play(plan: MindPlan, role: Role) -> bool:
    """Whether a mind has a role beside that of the ideas: who is named for it, else a default that is not local.

    A person whose inbox is the default is asked to mend programs, but not several times about every experiment.
    """
    if plan.roles.get(role):
        return True
    if not plan.default or _is_local(plan.default):
        return False
    return role is Role.DEBUGGER or not plan.default.startswith(f"{INBOX}:")


def is_asked(plan: MindPlan, role: Role, agents: AgentsSpec = AgentsSpec(reflection=True)) -> bool:  # noqa: B008 (frozen)
    """Whether this plan has somebody who is asked in this role, in a campaign with these agents."""
    if any(role in roles and not getattr(agents, switch) for switch, roles in SWITCHES.items()):
        return False
    inventor = idea_role(plan)
    match role:
        case Role.RESEARCHER | Role.DESIGNER:
            return role is inventor
        case Role.DIVERSIFIER:
            return inventor is not None
        case Role.EXTRACTOR:
            return bool(plan.specs(role))
        case Role.CHECKER:
            return inventor is Role.RESEARCHER and can_play(plan, role)
        case Role.COMPONENTS | Role.PROVENANCE:
            return bool(plan.roles.get(role))
        case Role.DEBUGGER | Role.NOVELTY | Role.SUMMARISER:
            return inventor is not None and can_play(plan, role)
        case _:
            return can_play(plan, role)


def judges_in_brief(plan: MindPlan) -> bool:
    """Whether a small model is among the judges, for which programs have to be few and short."""
    return any(_is_local(spec) for spec in plan.specs(Role.JUDGE))


def _is_local(spec: str) -> bool:
    return spec.startswith(f"{GGUF}:")


def _reading(folder: Path) -> Exchanges:
    return SqliteExchanges.open(folder, read_only=True)
