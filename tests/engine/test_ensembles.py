"""Campaigns whose ideas come from one of several scripted minds."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from asi_arch import minds as composition
from asi_arch.agents.composer import BASELINE_DESIGNS, baseline_proposal, rendered
from asi_arch.agents.minds.reviser import Decision
from asi_arch.domain.campaign import Event, EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.exchanges import Exchange, Request
from asi_arch.domain.minds import MindError, Role
from asi_arch.domain.profile import AgentsSpec
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.ensembles import Standing, Weighing, inventors, standings
from asi_arch.llm.backend import Backend, Permanent
from asi_arch.llm.mind import Line
from asi_arch.llm.patience import Patience
from asi_arch.llm.plan import MindPlan
from asi_arch.llm.prices import free
from asi_arch.llm.scripted import ScriptedBackend
from asi_arch.search.sampling import Schedule
from asi_arch.settings import Settings
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
MEMBERS = ("ollama:a", "ollama:b")
PLAN = MindPlan(roles={Role.DESIGNER: MEMBERS}, when_silent="compose")
FORECAST = {"quantity": "language loss", "direction": "fall", "by": 0.02}
REASON = "The parent can't fade what no longer matters, and a decay lets it."


def sketch(request: Request) -> str:
    """Another mechanism of those that the form allows, for every subject and every try."""
    allowed = json.loads(request.json_schema)["properties"]["add"]["items"]["enum"]
    drawn = Random(f"{request.subject}:{len(request.turns)}").choice(allowed)
    wish = {"weakness": REASON, "remove": [], "add": [drawn], "settings": []}
    return json.dumps({**wish, "motivation": REASON, "expectation": FORECAST})


class Table:
    """A campaign's folder and store, and who sits at the table; each `run` is another process."""

    def __init__(self, make_bench: MakeBench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.folder, self.said = FakeStore(), folder, list[Notice]()
        self._make_bench, self._monkeypatch = make_bench, monkeypatch

    async def run(self, count: int, backends: Mapping[str, Backend], plan: MindPlan = PLAN) -> None:
        bench = bench_of(self._make_bench, self.store, self.said)
        lines = tuple(Line(name, backend, free, patience()) for name, backend in backends.items())
        settings = Settings(state=self.folder, cache=self.folder / "cache", minds=plan)
        with self._monkeypatch.context() as patch:
            if lines:
                patch.setattr(
                    composition, "open_lines", lambda _: dict.fromkeys((Role.DESIGNER, Role.DIVERSIFIER), lines)
                )
            async with composition.thinking(bench, self.folder, settings) as thoughtful:
                await CampaignLoop(thoughtful, Limits(experiments=count), slots=2).run()

    def events(self, kind: EventKind) -> list[Event]:
        return [event for event in self.store.events() if event.kind is kind]

    def exchanges(self) -> list[Exchange]:
        record = SqliteExchanges.open(self.folder, read_only=True)
        try:
            return list(record.exchanges())
        finally:
            record.close()

    def standings(self) -> list[Standing]:
        record = SqliteExchanges.open(self.folder, read_only=True)
        try:
            return standings(self.store, record, PLAN, Role.DESIGNER)
        finally:
            record.close()

    def asked(self) -> dict[int, set[str]]:
        """Minds by the experiment that they were asked about."""
        found: dict[int, set[str]] = {}
        for exchange in self.exchanges():
            found.setdefault(int(exchange.sent.request.subject), set()).add(exchange.sent.mind)
        return found


def composed_baseline(name: str) -> Proposal:
    return baseline_proposal(name, rendered(BASELINE_DESIGNS[name], name), "", name)


def bench_of(make_bench: MakeBench, store: FakeStore, said: list[Notice]) -> Bench:
    """Without the novelty check, which has tests of its own."""
    bench = make_bench(store, FakeLab(), listen=said.append) if store.campaign() is None else None
    if bench is None:
        bench = make_bench(FakeStore(), FakeLab(), listen=said.append)._replace(store=store)
    profile = bench.campaign.profile.model_copy(update={"agents": AgentsSpec(novelty=False)})
    return bench._replace(campaign=bench.campaign.model_copy(update={"profile": profile}), baseline=composed_baseline)


def patience() -> Patience:
    return Patience(10.0, at_once=4, rng=Random(0), tick=lambda: 0.0)


def talking() -> dict[str, Backend]:
    return {name: ScriptedBackend(sketch) for name in MEMBERS}


@pytest.fixture
def table(make_bench: MakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    return Table(make_bench, tmp_path / "state", monkeypatch)


async def test_each_mind_has_an_idea_first_and_every_choice_is_stored_with_its_reasons(table: Table) -> None:
    await table.run(12, talking())
    chosen = {event.experiment: event.payload for event in table.events(EventKind.MIND_CHOSEN)}
    assert list(chosen) == [1, 3, *range(4, 12)]
    assert [chosen[index]["order"][0] for index in (1, 3)] == list(MEMBERS)
    assert {index: {payload["order"][0]} for index, payload in chosen.items()} == table.asked()
    assert all(sorted(payload["order"]) == sorted(MEMBERS) for payload in chosen.values())
    last = chosen[11]["members"]
    assert sum(member["asked"] for member in last) == 9
    assert any(member["mean_gain"] is not None for member in last)


async def test_a_choice_follows_from_the_record_alone_and_not_from_what_came_later(table: Table) -> None:
    await table.run(14, talking())
    stored = {event.experiment: event.payload["order"] for event in table.events(EventKind.MIND_CHOSEN)}
    campaign = table.store.campaign()
    assert campaign is not None
    record = SqliteExchanges.open(table.folder, read_only=True)
    for index, order in stored.items():
        again = Weighing(
            Forgetful(table.store), record, Schedule(campaign.profile.search), inventors(PLAN, Role.DESIGNER)
        )
        assert again.order(Role.DESIGNER, str(index), MEMBERS) == order
    record.close()


class Forgetful(FakeStore):
    """A campaign's proposals and results without its events."""

    def __init__(self, store: FakeStore) -> None:
        super().__init__()
        self.proposals, self.summaries = store.proposals, store.summaries


async def test_a_killed_campaign_stays_with_the_mind_that_it_had_asked_and_asks_nothing_twice(table: Table) -> None:
    reached = asyncio.Event()

    class Silent(ScriptedBackend):
        async def complete(self, request: Request) -> Any:
            if request.subject == "6":
                reached.set()
                await asyncio.sleep(3600)
            return await super().complete(request)

    running = asyncio.create_task(table.run(12, {name: Silent(sketch) for name in MEMBERS}))
    await asyncio.wait_for(reached.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    before = {e.sent.request.key for e in table.exchanges() if e.settlement and e.settlement.reply.text}
    again = talking()
    await table.run(12, again)
    repeated = [r.key for backend in again.values() if isinstance(backend, ScriptedBackend) for r in backend.requests]
    assert not before & set(repeated)
    assert len(table.asked()[6]) == 1
    assert Counter(event.experiment for event in table.events(EventKind.MIND_CHOSEN)).most_common(1)[0][1] == 1


async def test_a_mind_that_is_away_is_passed_over_and_the_campaign_goes_on(table: Table) -> None:
    await table.run(
        10, {MEMBERS[0]: ScriptedBackend(lambda _: Permanent("wrong key")), MEMBERS[1]: ScriptedBackend(sketch)}
    )
    passed = table.events(EventKind.MIND_PASSED_OVER)
    assert passed
    assert {event.payload["mind"] for event in passed} == {MEMBERS[0]}
    assert "wrong key" in passed[0].payload["reason"]
    assert any(isinstance(n, Said) and "ollama:b is asked instead" in n.text for n in table.said)
    away, there = table.standings()
    assert (away.usable, away.mean_gain, away.usd) == (0, None, 0.0)
    assert [event.experiment for event in passed] == [1, 5]
    assert there.usable == sum(p.author is Author.DESIGNER for p in table.store.proposals().values())
    assert len(table.store.summaries()) == 10


async def test_a_second_idea_is_asked_of_who_had_the_first(table: Table) -> None:
    await table.run(6, talking())
    campaign = table.store.campaign()
    assert campaign is not None
    record = SqliteExchanges.open(table.folder, read_only=True)
    weighing = Weighing(table.store, record, Schedule(campaign.profile.search), inventors(PLAN, Role.DESIGNER))
    first = list(weighing.order(Role.DESIGNER, "6", MEMBERS))
    assert weighing.order(Role.DIVERSIFIER, "6", MEMBERS) == first
    weighing.note_passed(Role.DESIGNER, "6", MEMBERS, first[0], "503")
    assert weighing.order(Role.DIVERSIFIER, "6", MEMBERS) == first[::-1]
    again = Weighing(table.store, record, Schedule(campaign.profile.search), inventors(PLAN, Role.DESIGNER))
    assert again.order(Role.DESIGNER, "6", MEMBERS) == first[::-1]
    record.close()


async def test_the_standings_add_up(table: Table) -> None:
    await table.run(12, talking())
    found = table.standings()
    campaign = table.store.campaign()
    assert campaign is not None
    assert [(one.role, one.member) for one in found] == [("designer", name) for name in MEMBERS]
    assert sum(one.following or 0 for one in found) == campaign.profile.search.update_every
    ideas = [p for p in table.store.proposals().values() if p.author is Author.DESIGNER]
    assert sum(one.usable or 0 for one in found) == sum(one.experiments or 0 for one in found) == len(ideas)
    assert sum(one.questions for one in found) == len({e.sent.request.subject for e in table.exchanges()})
    for one in found:
        assert one.mean_gain is not None
        assert one.gain_per_cost is not None
        assert one.mean_gain >= one.gain_per_cost >= 0.0


async def test_an_authors_answer_to_its_checker_is_no_idea(table: Table) -> None:
    await table.run(12, talking())
    before = table.standings()
    record = SqliteExchanges.open(table.folder)
    with record.exclusively():
        sent = list(record.exchanges())[-1].sent
        answer = sent.request.model_copy(update={"form": Decision.__name__, "subject": "3"})
        record.send(sent.model_copy(update={"request": answer}))
    record.close()
    assert table.standings() == before


async def test_a_replay_gives_the_same_proposals_whoever_had_them(
    table: Table, make_bench: MakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await table.run(10, talking())
    other = Table(make_bench, tmp_path / "again", monkeypatch)
    replaying = PLAN.model_copy(update={"roles": {Role.DESIGNER: f"replay:{table.folder}"}})
    await other.run(10, {}, replaying)
    assert other.store.proposals() == table.store.proposals()
    assert other.events(EventKind.MIND_CHOSEN) == []


async def test_where_nobody_can_be_had_the_composer_or_the_end_comes_as_with_one_mind(table: Table) -> None:
    gone: dict[str, Backend] = {name: ScriptedBackend(lambda _: Permanent("no credit")) for name in MEMBERS}
    with pytest.raises(MindError, match="no credit"):
        await table.run(4, gone, PLAN.model_copy(update={"when_silent": "stop"}))
    await table.run(4, gone)
    assert len(table.store.summaries()) == 4
