"""The composition of language models, beside the composition root because it names the concrete classes too."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom

from asi_arch.agents.english import counted
from asi_arch.agents.minds.debugger import MindDebugger
from asi_arch.agents.minds.designer import Designer
from asi_arch.agents.minds.fallback import Relieved
from asi_arch.agents.minds.reflector import MindReflector
from asi_arch.agents.minds.researcher import Form, Inventor
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
from asi_arch.papers import Reporting, open_library
from asi_arch.settings import Settings
from asi_arch.store.exchanges import SqliteExchanges

ASKING = frozenset({Role.RESEARCHER, Role.DESIGNER, Role.DEBUGGER, Role.EXTRACTOR, Role.REFLECTOR})
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
    """The bench with a researcher and a debugger that ask the minds of the settings; as it is where they name none.

    The random arm is a control and asks nobody. Raises `UserError` where programs of a mind could not be kept in.
    """

    def say(text: str) -> None:
        bench.listen(Said(text))

    plan = settings.minds
    inventor = idea_role(plan)
    has_debugger = inventor is not None and can_debug(plan)
    reflector = bench.reflector if can_reflect(plan) else None
    if inventor is None and reflector is None:
        yield bench
        return
    if bench.campaign.profile.search.policy is Policy.RANDOM:
        say("the random arm is a control: no mind is asked")
        yield bench
        return
    if inventor is Role.RESEARCHER or has_debugger:
        require_containment(settings, "A language model's programs are run in no other way")
    if plan.roles.get(Role.REFLECTOR) and bench.reflector is None:
        say("[minds.roles] names a mind for the reflector, but this campaign was started without --reflect")
    for role in sorted(set(plan.roles) - ASKING):
        bench.listen(Said(f"[minds.roles] names a mind for the {role.value}, but nothing asks for that role yet"))
    async with opened_minds(plan, folder, warn=say, tell=say) as minds:
        if reflector is not None:
            bench = bench._replace(reflector=MindReflector(minds, reflector, say))
        if inventor is None:
            yield bench
            return
        researcher = Designer(minds) if inventor is Role.DESIGNER else Inventor(minds, Form(plan.program))
        if plan.when_silent == "compose":
            researcher = Relieved(researcher, bench.researcher, say)
        library = open_library(settings, Reporting(say=say))
        yield bench._replace(
            researcher=researcher, cognition=library, debugger=MindDebugger(minds) if has_debugger else None
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
    """Whether failures go to a debugger: to one that is named, else to a default that is no local model."""
    return bool(plan.roles.get(Role.DEBUGGER) or (plan.default and not _is_local(plan.default)))


def can_reflect(plan: MindPlan) -> bool:
    """Whether agendas go to a model: to one that is named, else to a default that is no local model."""
    return bool(plan.roles.get(Role.REFLECTOR) or (plan.default and not _is_local(plan.default)))


def _is_local(spec: str) -> bool:
    return spec.startswith(f"{GGUF}:")


def _reading(folder: Path) -> Exchanges:
    return SqliteExchanges.open(folder, read_only=True)
