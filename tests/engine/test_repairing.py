from collections.abc import Callable, Sequence
from random import Random

import pytest

from asi_arch.domain.candidate import Author, Proposal, candidate_sha
from asi_arch.domain.cognition import Passage
from asi_arch.domain.minds import BadAnswer
from asi_arch.domain.outcome import Outcome, Rejected
from asi_arch.domain.ports import Brief, Known, Researcher
from asi_arch.domain.repairs import mended
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
EXPERIMENTS = 60


def is_rejected(source: str) -> bool:
    return int(candidate_sha(source)[:8], 16) % 8 == 0


class Persistent:
    """Mends by adding an assignment; only its `needed`-th repair is one that the fake lab accepts."""

    def __init__(self, needed: int) -> None:
        self.needed = needed
        self.asked: list[tuple[int, Outcome]] = []

    async def repair(self, index: int, proposal: Proposal, outcome: Outcome) -> Proposal:
        self.asked.append((index, outcome))
        is_last = len(proposal.repairs) + 1 >= self.needed
        source = proposal.source
        while is_rejected(source) is is_last or source == proposal.source:
            source += "again = 1\n"
        return mended(proposal, source, failure=f"{outcome.kind} {len(self.asked)}", cause="a missing line")


class Watching:
    """A researcher that remembers its briefs, and what was known at the time."""

    def __init__(self, inner: Researcher) -> None:
        self._inner = inner
        self.briefs: list[Brief] = []
        self.told: list[Known] = []

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        self.briefs.append(brief)
        self.told.append(brief.known())
        return await self._inner.propose(brief, rng)


class Silent:
    async def repair(self, index: int, proposal: Proposal, outcome: Outcome) -> Proposal:
        raise BadAnswer("nothing was usable")


async def run(bench: Bench, experiments: int = EXPERIMENTS) -> None:
    await CampaignLoop(bench, Limits(experiments=experiments), slots=3).run()


def rejected(store: FakeStore) -> list[int]:
    return [e.index for e in store.experiments() if isinstance(e.outcome, Rejected)]


async def test_what_is_rejected_is_mended_and_measured(make_bench: MakeBench) -> None:
    plain, store = FakeStore(), FakeStore()
    await run(make_bench(plain, FakeLab()))
    debugger = Persistent(needed=2)
    await run(make_bench(store, FakeLab())._replace(debugger=debugger))
    assert rejected(plain)
    assert rejected(store) == []
    repaired = [e for e in store.experiments() if e.proposal.repairs]
    assert [e.index for e in repaired][:1] == rejected(plain)[:1]
    for experiment in repaired:
        assert len(experiment.proposal.repairs) == 2
        assert experiment.runs[0].key.sha == experiment.proposal.sha
        assert store.proposals()[experiment.index] == experiment.proposal
    first = repaired[0]
    assert first.cost.check_cpu_s == pytest.approx(0.3)
    assert [repair.before == first.proposal.repairs[1].before for repair in first.proposal.repairs] == [False, True]


async def test_after_three_repairs_it_is_given_up(make_bench: MakeBench) -> None:
    store, debugger = FakeStore(), Persistent(needed=9)
    await run(make_bench(store, FakeLab())._replace(debugger=debugger))
    failed = [e for e in store.experiments() if isinstance(e.outcome, Rejected)]
    assert failed
    assert {len(e.proposal.repairs) for e in failed} == {3}


async def test_a_silent_debugger_leaves_the_failure_as_it_is(make_bench: MakeBench) -> None:
    plain, store = FakeStore(), FakeStore()
    said: list[Notice] = []
    await run(make_bench(plain, FakeLab()))
    await run(make_bench(store, FakeLab(), listen=said.append)._replace(debugger=Silent()))
    assert rejected(store) == rejected(plain)
    assert sum(isinstance(notice, Said) for notice in said) == len(rejected(store))


async def test_only_what_failed_by_mistake_is_mended(make_bench: MakeBench) -> None:
    debugger = Persistent(needed=1)
    await run(make_bench(FakeStore(), FakeLab())._replace(debugger=debugger))
    assert {outcome.kind for _, outcome in debugger.asked} == {"rejected"}


async def test_children_of_a_mended_parent_see_the_mended_program(make_bench: MakeBench) -> None:
    store = FakeStore()
    bench = make_bench(store, FakeLab())._replace(debugger=Persistent(needed=1))
    watching = Watching(bench.researcher)
    search = bench.campaign.profile.search.model_copy(update={"pool_size": 40, "parent_ranks": (1, 40)})
    profile = bench.campaign.profile.model_copy(update={"search": search})
    campaign = bench.campaign.model_copy(update={"profile": profile})
    await run(bench._replace(researcher=watching, campaign=campaign), 90)
    mended_ones = {e.index: e.proposal for e in store.experiments() if e.proposal.repairs}
    seen = [brief for brief in watching.briefs if brief.parent_index in mended_ones]
    assert seen
    for brief in seen:
        assert brief.parent == mended_ones[brief.parent_index or 0]


async def test_a_researcher_is_told_what_is_known_and_what_failed(make_bench: MakeBench) -> None:
    store = FakeStore()
    bench = make_bench(store, FakeLab())
    watching = Watching(bench.researcher)
    await run(bench._replace(researcher=watching), 40)
    told = watching.told[-1]
    assert told.baseline == store.experiment(0)
    assert told.parent is not None
    assert told.parent.index == watching.briefs[-1].parent_index
    assert told.failures
    assert all(isinstance(failure.outcome, Rejected) for failure in told.failures)
    assert told.noise_nats
    assert told.passages == ()


class Shelf:
    """A literature of nothing that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def near(self, text: str, count: int = 3) -> Sequence[Passage]:
        self.asked.append(text)
        return ()


async def test_the_literature_is_asked_about_the_parents_findings(make_bench: MakeBench) -> None:
    store, shelf = FakeStore(), Shelf()
    bench = make_bench(store, FakeLab())
    watching = Watching(bench.researcher)
    await run(bench._replace(researcher=watching, cognition=shelf), 20)
    parents = [told.parent for told in watching.told if told.parent is not None and told.parent.analysis is not None]
    findings = [f"{p.analysis.results} {p.analysis.lessons}".strip() for p in parents if p.analysis is not None]
    assert shelf.asked == [text for text in findings if text]


async def test_a_resumed_campaign_goes_on_from_the_mended_program(make_bench: MakeBench) -> None:
    store, whole = FakeStore(), FakeStore()
    await run(make_bench(whole, FakeLab())._replace(debugger=Persistent(needed=2)))
    index = next(e.index for e in whole.experiments() if e.proposal.repairs)
    await run(make_bench(store, FakeLab()), index)
    first = whole.proposals()[index]
    original = first.model_copy(update={"repairs": (), "source": first.repairs[0].before, "fingerprint": "before"})
    store.propose(index, original)
    half = mended(original, first.repairs[1].before, failure="rejected", cause="a missing line")
    store.repair(index, half)
    await run(make_bench(store, FakeLab())._replace(debugger=Persistent(needed=2)), index + 1)
    experiment = store.experiment(index)
    assert experiment is not None
    assert experiment.proposal.source == first.source
    assert len(experiment.proposal.repairs) == 2


async def test_a_baseline_is_never_mended(make_bench: MakeBench) -> None:
    store, debugger = FakeStore(), Persistent(needed=1)
    await run(make_bench(store, FakeLab())._replace(debugger=debugger))
    authors = {store.proposals()[index].author for index, _ in debugger.asked}
    assert authors == {Author.COMPOSER}
