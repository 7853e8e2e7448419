"""Ideas are asked for while there is no room for them yet, and nothing else changes."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import MindUnavailable
from asi_arch.domain.ports import Brief, Researcher
from asi_arch.domain.profile import Profile
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Recorded
from asi_arch.search.sampling import Schedule
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
COUNT = 14


class Watched:
    """A researcher that keeps what was recorded by the time each idea was asked for."""

    def __init__(self, inner: Researcher, silent_at: int = -1) -> None:
        self._inner = inner
        self._silent_at = silent_at
        self.recorded: set[int] = set()
        self.asked: dict[int, set[int]] = {}

    def listen(self, notice: Notice) -> None:
        if isinstance(notice, Recorded):
            self.recorded.add(notice.experiment.index)

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        self.asked[brief.experiment] = set(self.recorded)
        if brief.experiment == self._silent_at:
            raise MindUnavailable("nobody answers")
        return await self._inner.propose(brief, rng)


async def run(make_bench: MakeBench, ahead: int, *, slots: int = 1, silent_at: int = -1) -> tuple[FakeStore, Watched]:
    store = FakeStore()
    bench = make_bench(store, FakeLab(lambda: 0.002))
    watched = Watched(bench.researcher, silent_at)
    bench = bench._replace(researcher=watched, listen=watched.listen, ahead=ahead)
    await CampaignLoop(bench, Limits(experiments=COUNT), slots=slots).run()
    return store, watched


@pytest.mark.parametrize("slots", [1, 4])
async def test_the_story_is_the_same_however_far_ahead_is_thought(make_bench: MakeBench, slots: int) -> None:
    plain, _ = await run(make_bench, 0, slots=slots)
    ahead, _ = await run(make_bench, 5, slots=slots)
    assert [e.model_dump_json() for e in ahead.experiments()] == [e.model_dump_json() for e in plain.experiments()]


async def test_ideas_come_before_there_is_room_but_never_before_what_they_look_at(
    make_bench: MakeBench, profile: Profile
) -> None:
    _, plain = await run(make_bench, 0)
    _, early = await run(make_bench, 2)
    schedule = Schedule(profile.search)
    assert all(index - 1 in recorded for index, recorded in plain.asked.items())
    assert any(index - 1 not in recorded for index, recorded in early.asked.items())
    for index, recorded in early.asked.items():
        assert set(range(schedule.snapshot(index))) <= recorded


async def test_silence_about_a_later_idea_ends_the_campaign_after_those_before_it(make_bench: MakeBench) -> None:
    store = FakeStore()
    bench = make_bench(store, FakeLab(lambda: 0.002))
    watched = Watched(bench.researcher, silent_at=9)
    bench = bench._replace(researcher=watched, ahead=3)
    with pytest.raises(MindUnavailable):
        await CampaignLoop(bench, Limits(experiments=COUNT), slots=2).run()
    assert [experiment.index for experiment in store.experiments()] == list(range(9))


async def test_a_drained_campaign_waits_for_no_idea(make_bench: MakeBench) -> None:
    class Slow(Watched):
        async def propose(self, brief: Brief, rng: Random) -> Proposal:
            if brief.experiment >= 8:
                loop.drain()
                await asyncio.sleep(60)
            return await super().propose(brief, rng)

    store = FakeStore()
    bench = make_bench(store, FakeLab(lambda: 0.002))
    loop = CampaignLoop(bench._replace(researcher=Slow(bench.researcher), ahead=3), Limits(experiments=COUNT), slots=1)
    await asyncio.wait_for(loop.run(), 20)
    assert set(store.proposals()) >= {experiment.index for experiment in store.experiments()}
    assert 8 not in store.proposals()
