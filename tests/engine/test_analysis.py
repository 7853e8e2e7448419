"""What a model makes of experiments, on its way through a campaign: to the literature, and to the next researcher."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from asi_arch.agents.minds.analyst import MindAnalyst
from asi_arch.agents.minds.summariser import Briefed
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.cognition import Passage
from asi_arch.domain.experiment import Analysis, Experiment
from asi_arch.domain.minds import Role
from asi_arch.domain.outcome import Measured
from asi_arch.domain.ports import Brief, Evidence, Known
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import can_play, thinking
from asi_arch.settings import Settings
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
FINDINGS = ("Early keys are overwritten by late ones.", "Nothing is ever forgotten.")


class FindingAnalyst:
    """Has findings about every other experiment, and remembers which grandparents it was shown."""

    def __init__(self) -> None:
        self.seen: dict[int, Evidence] = {}

    async def analyse(self, experiment: Experiment, context: Evidence) -> Analysis:
        self.seen[experiment.index] = context
        findings = FINDINGS if experiment.index % 2 else ()
        return Analysis(
            design="d", results="Results.", expectation="e", mechanism="m", lessons="Lessons.", findings=findings
        )


class Shelf:
    """A literature of nothing that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def near(self, text: str, count: int = 3) -> Sequence[Passage]:
        self.asked.append(text)
        return ()


class Reading:
    """Reads all that is known before the inner researcher proposes."""

    def __init__(self, bench: Bench) -> None:
        self._inner = bench.researcher
        self.briefs: list[Brief] = []
        self.known: list[Known] = []

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        self.briefs.append(brief)
        self.known.append(brief.known())
        return await self._inner.propose(brief, rng)


class FirstAndLast:
    """Finds the last text of those that it is given the most alike, then the first."""

    def nearest(self, text: str, texts: Sequence[str], count: int) -> Sequence[int]:
        return list(dict.fromkeys([len(texts) - 1, 0]))


async def run(bench: Bench, count: int) -> None:
    await CampaignLoop(bench, Limits(experiments=count), slots=2).run()


async def test_findings_are_what_the_literature_is_searched_for(make_bench: MakeBench) -> None:
    shelf, bench = Shelf(), make_bench(FakeStore(), FakeLab())
    reading = Reading(bench)
    await run(bench._replace(researcher=reading, analyst=FindingAnalyst(), cognition=shelf), 20)
    parents = [known.parent.index for known in reading.known if known.parent is not None]
    assert {index % 2 for index in parents} == {0, 1}
    assert shelf.asked == [" ".join(FINDINGS) if index % 2 else "Results. Lessons." for index in parents]


async def test_an_analyst_is_shown_the_grandparent(make_bench: MakeBench) -> None:
    store, analyst = FakeStore(), FindingAnalyst()
    await run(make_bench(store, FakeLab())._replace(analyst=analyst), 24)
    proposals = store.proposals()
    found = 0
    for index, context in analyst.seen.items():
        parent = proposals[index].parent
        origin = None if parent is None else proposals[parent].parent
        assert context.grandparent == (None if origin is None else store.experiment(origin))
        found += origin is not None
    assert found


async def test_a_brief_says_in_which_cycle_it_is_given(make_bench: MakeBench) -> None:
    bench = make_bench(FakeStore(), FakeLab())
    reading = Reading(bench)
    await run(bench._replace(researcher=reading), 9)
    assert [(brief.experiment, brief.cycle) for brief in reading.briefs] == [
        (1, 1), (3, 1), (4, 4), (5, 4), (6, 6), (7, 6), (8, 8),
    ]  # fmt: skip


async def test_failures_like_the_parent_come_first_and_only_those_in_sight(make_bench: MakeBench) -> None:
    store = FakeStore()
    bench = make_bench(store, FakeLab())
    reading = Reading(bench)
    await run(bench._replace(researcher=reading, likeness=FirstAndLast()), 60)
    for brief, known in zip(reading.briefs, reading.known, strict=True):
        failed = [
            e.index
            for e in store.experiments()
            if e.index < brief.cycle
            and e.proposal.author is not Author.BASELINE
            and e.outcome.kind not in (Measured().kind, "stopped_early")
        ]
        latest = failed[::-1]
        expected = list(dict.fromkeys([*failed[:1], *latest]))[:3]
        assert [e.index for e in known.failures] == expected
    assert len(reading.known[-1].failures) == 3


def plan_of(folder: Path, *roles: Role) -> MindPlan:
    return MindPlan(roles=dict.fromkeys(roles, f"inbox:{folder / 'q'}"), inbox_patience_s=0.05)


async def composed(
    make_bench: MakeBench, folder: Path, plan: MindPlan, *, analysis: bool = True
) -> tuple[Bench, Bench, list[str]]:
    """The bench before and after minds were put in, and what was told."""
    said: list[Notice] = []
    bench = make_bench(FakeStore(), FakeLab(), listen=said.append)
    profile = bench.campaign.profile
    agents = profile.agents.model_copy(update={"analysis": analysis})
    campaign = bench.campaign.model_copy(update={"profile": profile.model_copy(update={"agents": agents})})
    bench = bench._replace(campaign=campaign)
    settings = Settings(state=folder / "state", cache=folder / "cache", minds=plan)
    async with thinking(bench, folder, settings) as thoughtful:
        return bench, thoughtful, [notice.text for notice in said if isinstance(notice, Said)]


@pytest.mark.parametrize(
    ("roles", "explains", "condenses"),
    [
        ((Role.DESIGNER,), False, False),
        ((Role.DESIGNER, Role.ANALYST), True, False),
        ((Role.DESIGNER, Role.SUMMARISER), False, True),
        ((Role.ANALYST,), True, False),
    ],
)
async def test_who_explains_and_who_condenses_follows_from_the_plan(
    make_bench: MakeBench, tmp_path: Path, roles: tuple[Role, ...], explains: bool, condenses: bool
) -> None:
    _, found, _ = await composed(make_bench, tmp_path, plan_of(tmp_path, *roles))
    assert isinstance(found.analyst, MindAnalyst) is explains
    assert isinstance(found.researcher, Briefed) is condenses


@pytest.mark.parametrize(
    ("plan", "plays"),
    [
        (MindPlan(), False),
        (MindPlan(default="openai:some-model"), True),
        (MindPlan(default="gguf:model.gguf"), False),
        (MindPlan(default="gguf:model.gguf", roles=dict.fromkeys((Role.ANALYST, Role.SUMMARISER), "inbox:q")), True),
    ],
)
def test_a_small_local_default_is_spared_both_roles(plan: MindPlan, plays: bool) -> None:
    assert can_play(plan, Role.ANALYST) is can_play(plan, Role.SUMMARISER) is plays


async def test_the_profile_switches_both_off_and_it_is_told(make_bench: MakeBench, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, Role.DESIGNER, Role.ANALYST, Role.SUMMARISER)
    bench, found, said = await composed(make_bench, tmp_path, plan, analysis=False)
    assert found.analyst is bench.analyst
    assert not isinstance(found.researcher, Briefed)
    assert "the profile says [agents] analysis = false, so the analyst is not asked" in said


async def test_an_analyst_who_is_away_ends_nothing_and_is_told(make_bench: MakeBench, tmp_path: Path) -> None:
    store, said = FakeStore(), list[Notice]()
    bench = make_bench(store, FakeLab(), listen=said.append)
    settings = Settings(state=tmp_path / "state", cache=tmp_path / "cache", minds=plan_of(tmp_path, Role.ANALYST))
    async with thinking(bench, tmp_path, settings) as thoughtful:
        await run(thoughtful, 4)
    notes: list[Any] = [e.analysis.note for e in store.experiments() if e.analysis is not None]
    assert len(notes) == 4
    assert sum(note.startswith("The model gave no account: ") for note in notes) >= 2
    told = [notice.text for notice in said if isinstance(notice, Said)]
    assert sum("the account is made from the numbers alone" in text for text in told) == sum(map(bool, notes))
