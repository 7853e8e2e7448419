"""Composition of what tells the provenance of designs: which passages there are, and who is asked.

Beside `app`, because it names the concrete classes too.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from asi_arch.agents.minds.components import MindNamer
from asi_arch.agents.minds.provenance import MindTracer
from asi_arch.cognition.corpus import load_corpus
from asi_arch.domain.cognition import Passage
from asi_arch.domain.minds import Role
from asi_arch.domain.ports import Store
from asi_arch.engine.tracing import Minds, Tracing
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import is_asked, opened_minds
from asi_arch.settings import Settings

ROLES = (Role.COMPONENTS, Role.PROVENANCE)


def asked(plan: MindPlan, mind: str | None = None) -> MindPlan:
    """The plan with these two roles only: as the settings name them, or both played by `mind`."""
    named = {role: mind or plan.roles[role] for role in ROLES if mind or is_asked(plan, role)}
    return plan.model_copy(update={"default": "", "roles": named})


@asynccontextmanager
async def opened_tracing(
    store: Store, folder: Path, settings: Settings, plan: MindPlan, say: Callable[[str], None]
) -> AsyncGenerator[Tracing, None]:
    """With the minds of a plan that `asked` made; without any, code and records decide. Exchanges go to `folder`."""
    passages = _passages(settings)
    if not plan.roles:
        yield Tracing(store, passages, Minds(), say)
        return
    async with opened_minds(plan, folder, warn=say) as mind:
        minds = Minds(
            MindNamer(mind) if Role.COMPONENTS in plan.roles else None,
            MindTracer(mind) if Role.PROVENANCE in plan.roles else None,
        )
        yield Tracing(store, passages, minds, say)


def _passages(settings: Settings) -> Callable[[Sequence[str]], list[Passage]]:
    """Finds passages by the ids of entries, and reads the base when the first is asked for."""

    @cache
    def shelf() -> dict[str, Passage]:
        return {
            entry.id: Passage(
                arxiv=paper.arxiv, year=paper.year, paper=paper.name, theme=paper.theme, entry=entry, score=0.0
            )
            for paper in load_corpus(settings.papers).papers
            for entry in paper.entries
        }

    return lambda ids: [shelf()[entry] for entry in ids if entry in shelf()]
