"""With each switch of `[agents]` the prompts lack its part, and without it they have it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import asi_arch.minds
import asi_arch.novelty
import asi_arch.papers
from asi_arch.agents.composer import BASELINE_DESIGNS, Composer, baseline_proposal, rendered
from asi_arch.agents.minds.summariser import Briefed
from asi_arch.domain.candidate import Author, Proposal, candidate_sha
from asi_arch.domain.experiment import Analysis, Experiment
from asi_arch.domain.minds import Role
from asi_arch.domain.ports import Evidence
from asi_arch.domain.profile import AgentsSpec
from asi_arch.domain.review import ReviewEnd
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import is_asked, thinking
from asi_arch.settings import Settings
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
SEED = 2
"""With which experiment 3 is a child of the second baseline and has the first as its reference."""
LITERATURE = "What the literature says to such findings"
EXAMPLES = "Other programs, as examples only"
REASON = "The parent can't fade what no longer matters, and a decay lets it."
FORECAST = {"quantity": "language loss", "direction": "fall", "by": 0.02}
DOUBT = {"where": "return x", "promised": "A decay lets it fade.", "found": "Nothing fades.", "change": True}
REVISED = "return x * self.number"
CODE = """\
class Mixer:
    def __init__(self, hidden_size, num_heads, layer_idx):
        self.number = {number}

    def forward(self, x):
        return x
"""


def is_passing(source: str) -> bool:
    """Whether the fake lab lets it pass, and its revision too."""
    return all(int(candidate_sha(text)[:8], 16) % 8 for text in (source, source.replace("return x", REVISED)))


class Finding:
    """An analyst with something to search the literature for."""

    async def analyse(self, experiment: Experiment, context: Evidence) -> Analysis:
        findings = ("The state never decays, so that old writes crowd out recent ones.",)
        return Analysis(design="", results="", expectation="", mechanism="", lessons="It fades.", findings=findings)


def contained(settings: Settings, way_out: str) -> None:
    """Here as everywhere."""


@pytest.fixture(autouse=True)
def small_and_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search by words, and programs that no lab runs."""
    for module in (asi_arch.papers, asi_arch.novelty):
        monkeypatch.setattr(module, "complaint_about_embeddings", lambda: "not installed")
    monkeypatch.setattr(asi_arch.minds, "require_containment", contained)


def composed_baseline(name: str) -> Proposal:
    return baseline_proposal(name, rendered(BASELINE_DESIGNS[name], name), f"The baseline {name}.", name)


def bench_of(make_bench: MakeBench, store: FakeStore, agents: AgentsSpec, said: list[Notice]) -> Bench:
    bench = make_bench(store, FakeLab(), seed=SEED, listen=said.append)
    profile = bench.campaign.profile.model_copy(update={"agents": agents})
    campaign = bench.campaign.model_copy(update={"profile": profile})
    return bench._replace(campaign=campaign, baseline=composed_baseline, analyst=Finding())


class Person:
    """Answers the questions of an inbox, and keeps what was asked."""

    def __init__(self, inbox: Path) -> None:
        self._inbox = inbox
        self.pages: list[tuple[Role, str]] = []

    def about(self, role: Role) -> list[str]:
        return [text for asked, text in self.pages if asked is role]

    @asynccontextmanager
    async def answering(self) -> AsyncGenerator[None, None]:
        task = asyncio.create_task(self._answer_all())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _answer_all(self) -> None:
        while True:
            for page in sorted(self._inbox.glob("*.md")):
                answer = page.with_suffix(".json")
                if not answer.exists():
                    role, text = Role(page.name.split("-")[0]), page.read_text(encoding="utf-8")
                    self.pages.append((role, text))
                    part = answer.with_suffix(".part")
                    part.write_text(json.dumps(self._reply(role, text)), encoding="utf-8")
                    part.rename(answer)
            await asyncio.sleep(0.02)

    def _reply(self, role: Role, page: str) -> dict[str, Any]:
        if role is Role.CHECKER:
            return {"doubts": [DOUBT]}
        if role is Role.SUMMARISER:
            number = int(re.findall(r"a list of exactly (\d)", page)[0])
            return {"lines": ["It told the campaign nothing new."] * number}
        if "A reader doubts" in page:
            edit = {"search": "        return x", "replace": f"        {REVISED}"}
            return {"reason": "The reader is right about it.", "decision": "revise", "edits": [edit]}
        number = next(n for n in count(1000 * len(self.pages)) if is_passing(CODE.format(number=n)))
        idea = {"motivation": REASON, "name": f"FadeNet{len(self.pages)}", "change": "It fades by a number."}
        return {**idea, "expectation": FORECAST, "mechanisms": ["decay"], "code": CODE.format(number=number)}


async def campaign(
    make_bench: MakeBench, folder: Path, agents: AgentsSpec, *roles: Role, experiments: int = 4, answers: bool = True
) -> tuple[FakeStore, Person, list[str]]:
    store, said, inbox = FakeStore(), list[Notice](), folder / "questions"
    plan = MindPlan(roles=dict.fromkeys(roles, f"inbox:{inbox}"), inbox_patience_s=30.0 if answers else 0.05)
    settings = Settings(state=folder / "state", cache=folder / "cache", minds=plan)
    person = Person(inbox)
    bench = bench_of(make_bench, store, agents, said)
    async with (
        person.answering() if answers else nullcontext(),
        thinking(bench, folder, settings) as thoughtful,
    ):
        await CampaignLoop(thoughtful, Limits(experiments=experiments), slots=1).run()
    return store, person, [notice.text for notice in said if isinstance(notice, Said)]


@pytest.mark.parametrize("cognition", [True, False])
async def test_the_literature_is_told_unless_it_is_switched_off(
    make_bench: MakeBench, tmp_path: Path, cognition: bool
) -> None:
    agents = AgentsSpec(novelty=False, cognition=cognition)
    store, person, _ = await campaign(make_bench, tmp_path, agents, Role.RESEARCHER)
    asked = person.about(Role.RESEARCHER)
    assert len(asked) == 2
    assert any(LITERATURE in text for text in asked) is cognition
    assert any(proposal.passages for proposal in store.proposals().values()) is cognition
    assert any(EXAMPLES in text for text in asked)


@pytest.mark.parametrize("references", [True, False])
async def test_references_are_shown_and_condensed_unless_they_are_switched_off(
    make_bench: MakeBench, tmp_path: Path, references: bool
) -> None:
    agents = AgentsSpec(novelty=False, references=references)
    store, person, told = await campaign(make_bench, tmp_path, agents, Role.RESEARCHER, Role.SUMMARISER)
    asked = person.about(Role.RESEARCHER)
    assert any(EXAMPLES in text for text in asked) is references
    assert bool(person.about(Role.SUMMARISER)) is references
    assert any(proposal.references for proposal in store.proposals().values()) is references
    assert any(LITERATURE in text for text in asked)
    off = "the profile says [agents] references = false, so the summariser is not asked"
    assert (off in told) is not references


@pytest.mark.parametrize("references", [True, False])
async def test_the_composer_crosses_nothing_in_without_references(make_bench: MakeBench, references: bool) -> None:
    store = FakeStore()
    bench = bench_of(make_bench, store, AgentsSpec(references=references), [])._replace(researcher=Composer())
    await CampaignLoop(bench, Limits(experiments=40), slots=1).run()
    invented = [e.proposal for e in store.experiments() if e.proposal.author is Author.COMPOSER]
    assert any(proposal.partner is not None for proposal in invented) is references
    assert any(proposal.references for proposal in invented) is references
    assert all(proposal.parent is not None for proposal in invented)


async def test_without_references_the_parents_are_drawn_as_with_them(make_bench: MakeBench) -> None:
    parents: list[list[int | None]] = []
    for references in (True, False):
        store = FakeStore()
        bench = bench_of(make_bench, store, AgentsSpec(references=references), [])._replace(researcher=Composer())
        await CampaignLoop(bench, Limits(experiments=5), slots=1).run()
        parents.append([proposal.parent for proposal in store.proposals().values()])
    assert parents[0][:4] == parents[1][:4]


@pytest.mark.parametrize("checking", [True, False])
async def test_free_code_is_read_and_revised_unless_that_is_switched_off(
    make_bench: MakeBench, tmp_path: Path, checking: bool
) -> None:
    agents = AgentsSpec(novelty=False, checking=checking)
    roles = (Role.RESEARCHER, Role.CHECKER)
    store, person, told = await campaign(make_bench, tmp_path, agents, *roles, experiments=2)
    (page, *more) = person.about(Role.CHECKER) or [""]
    assert (REASON in page, more) == (checking, [])
    assert ("the profile says [agents] checking = false, so the checker is not asked" in told) is not checking
    assert [role for role, _ in person.pages] == [Role.RESEARCHER, Role.CHECKER, Role.RESEARCHER][
        : 3 if checking else 1
    ]
    proposal = store.proposals()[1]
    assert (proposal.review is not None) is checking
    record = SqliteExchanges.open(tmp_path, read_only=True)
    recorded = [exchange.sent.request.role for exchange in record.exchanges()]
    record.close()
    assert recorded == [role for role, _ in person.pages]
    if proposal.review is not None:
        assert proposal.review.end is ReviewEnd.REVISED
        assert REVISED in proposal.source


async def test_a_campaign_that_begins_anew_with_its_record_asks_nobody_again(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    agents, roles = AgentsSpec(novelty=False), (Role.RESEARCHER, Role.CHECKER)
    store, _, _ = await campaign(make_bench, tmp_path, agents, *roles, experiments=2)
    again, _, told = await campaign(make_bench, tmp_path, agents, *roles, experiments=2, answers=False)
    assert again.proposals() == store.proposals()
    assert not [text for text in told if text.startswith("asking")]


@pytest.mark.parametrize(
    ("plan", "asked"),
    [
        (MindPlan(), False),
        (MindPlan(default="openai:large"), True),
        (MindPlan(default="gguf:m.gguf"), False),
        (MindPlan(default="inbox:q"), False),
        (MindPlan(roles={Role.RESEARCHER: "inbox:q", Role.CHECKER: "inbox:q"}), True),
        (MindPlan(default="openai:large", roles={Role.DESIGNER: "openai:small"}), False),
        (MindPlan(roles={Role.CHECKER: "openai:large"}), False),
    ],
)
def test_a_checker_is_asked_where_a_researcher_writes(plan: MindPlan, asked: bool) -> None:
    assert is_asked(plan, Role.CHECKER) is asked
    assert not is_asked(plan, Role.CHECKER, AgentsSpec(checking=False))


async def test_a_checker_with_nothing_to_read_is_told(make_bench: MakeBench, tmp_path: Path) -> None:
    said: list[Notice] = []
    inbox = f"inbox:{tmp_path / 'q'}"
    plan = MindPlan(roles={Role.DESIGNER: inbox, Role.CHECKER: inbox, Role.SUMMARISER: inbox})
    settings = Settings(state=tmp_path / "state", cache=tmp_path / "cache", minds=plan)
    bench = bench_of(make_bench, FakeStore(), AgentsSpec(novelty=False, references=False), said)
    async with thinking(bench, tmp_path, settings) as found:
        assert found.reviewers is None
        assert not isinstance(found.researcher, Briefed)
    told = "the checker reads programs that a researcher wrote, and none writes here, so it is not asked"
    assert Said(told) in said
