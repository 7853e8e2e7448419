"""The composition of language models, beside the composition root because it names the concrete classes too."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom

from asi_arch.agents.english import counted
from asi_arch.agents.minds.analyst import MindAnalyst
from asi_arch.agents.minds.debugger import MindDebugger
from asi_arch.agents.minds.designer import Designer
from asi_arch.agents.minds.fallback import Relieved
from asi_arch.agents.minds.researcher import Form, Inventor
from asi_arch.agents.minds.summariser import Briefed, Summariser
from asi_arch.app import CLOCK, require_containment
from asi_arch.domain.exchanges import Exchanges
from asi_arch.domain.minds import Role
from asi_arch.domain.profile import Policy
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import Said
from asi_arch.keys import found_keys
from asi_arch.llm.budgets import Purse
from asi_arch.llm.ledger import Ledger
from asi_arch.llm.lines import Surroundings, open_lines, remote_services
from asi_arch.llm.mind import Minds
from asi_arch.llm.plan import GGUF, MindPlan
from asi_arch.llm.redact import Redactor
from asi_arch.papers import Reporting, open_library, open_likeness
from asi_arch.settings import Settings
from asi_arch.store.exchanges import SqliteExchanges

ASKING = frozenset({Role.RESEARCHER, Role.DESIGNER, Role.DEBUGGER, Role.ANALYST, Role.SUMMARISER, Role.EXTRACTOR})
"""Roles that somebody plays."""


@asynccontextmanager
async def opened_minds(
    plan: MindPlan,
    folder: Path,
    *,
    warn: Callable[[str], None],
    tell: Callable[[str], None] = lambda _: None,
    is_owner: bool = True,
) -> AsyncGenerator[Minds, None]:
    """Minds that record in `folder` and `tell` whom they ask.

    Whoever holds the folder's lock is the owner, and settles what a dead process left open. While inside, the keys are
    taken out of every text that is recorded, logged or raised.
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
            minds = Minds(open_lines(around), ledger, tell=tell)
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
    for line in lines.values():
        await line.backend.close()


@asynccontextmanager
async def thinking(bench: Bench, folder: Path, settings: Settings) -> AsyncGenerator[Bench, None]:
    """The bench with agents that ask the minds of the settings; as it is where they name none.

    The random arm is a control and asks nobody. Raises `UserError` where programs of a mind could not be kept in.
    """

    def say(text: str) -> None:
        bench.listen(Said(text))

    plan = settings.minds
    inventor, has_debugger = idea_role(plan), can_debug(plan)
    if not bench.campaign.profile.agents.analysis and set(plan.roles) & {Role.ANALYST, Role.SUMMARISER}:
        say("the profile says [agents] analysis = false, so neither analyst nor summariser is asked")
    if inventor is None and not can_explain(plan, bench):
        yield bench
        return
    if bench.campaign.profile.search.policy is Policy.RANDOM:
        say("the random arm is a control: no mind is asked")
        yield bench
        return
    if inventor is Role.RESEARCHER or (inventor and has_debugger):
        require_containment(settings, "A language model's programs are run in no other way")
    for role in sorted(set(plan.roles) - ASKING):
        bench.listen(Said(f"[minds.roles] names a mind for the {role.value}, but nothing asks for that role yet"))
    async with opened_minds(plan, folder, warn=say, tell=say) as minds:
        yield _thoughtful(bench, minds, settings, say)


def _thoughtful(bench: Bench, minds: Minds, settings: Settings, say: Callable[[str], None]) -> Bench:
    """The bench with every agent that is played by a mind."""
    plan, inventor = settings.minds, idea_role(settings.minds)
    if can_explain(plan, bench):
        bench = bench._replace(analyst=MindAnalyst(minds, bench.analyst, say))
    if inventor is None:
        return bench
    researcher = Designer(minds) if inventor is Role.DESIGNER else Inventor(minds, Form(plan.program))
    if bench.campaign.profile.agents.analysis and can_play(plan, Role.SUMMARISER):
        researcher = Briefed(researcher, Summariser(minds), say)
    if plan.when_silent == "compose":
        researcher = Relieved(researcher, bench.researcher, say)
    return bench._replace(
        researcher=researcher,
        cognition=open_library(settings, Reporting(say=say)),
        debugger=MindDebugger(minds) if can_debug(plan) else None,
        likeness=open_likeness(),
    )


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


def can_explain(plan: MindPlan, bench: Bench) -> bool:
    """Whether a mind writes analyses: somebody plays the role, and the profile does not switch it off."""
    return bench.campaign.profile.agents.analysis and can_play(plan, Role.ANALYST)


def can_play(plan: MindPlan, role: Role) -> bool:
    """Whether somebody has a role that is too much for small models: who is named, else a default that is not local."""
    return bool(plan.roles.get(role) or (plan.default and not _is_local(plan.default)))


def _is_local(spec: str) -> bool:
    return spec.startswith(f"{GGUF}:")


def _reading(folder: Path) -> Exchanges:
    return SqliteExchanges.open(folder, read_only=True)
