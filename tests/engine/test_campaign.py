import asyncio
import math
from collections.abc import Callable
from random import Random

import pytest

from asi_arch.domain.candidate import Adapter, Author, Proposal
from asi_arch.domain.errors import LabError
from asi_arch.domain.minds import MindUnavailable
from asi_arch.domain.outcome import CheckReport, Crashed, Run
from asi_arch.domain.ports import Brief, Progress, Researcher, RunOrder
from asi_arch.domain.profile import StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Recorded
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
COUNT = 14


def _story(store: FakeStore) -> list[str]:
    """Everything that is recorded, as text; costs are zero under the fake clock."""
    pool = [(s.index, s.fitness) for s in store.pool(20, 10**6)]
    return [e.model_dump_json() for e in store.experiments()] + [repr(pool)]


async def _search(make_bench: MakeBench, store: FakeStore, lab: FakeLab, *, slots: int, count: int = COUNT) -> None:
    await CampaignLoop(make_bench(store, lab), Limits(experiments=count), slots=slots).run()


async def test_the_story_is_the_same_whoever_finishes_first(make_bench: MakeBench) -> None:
    in_order = FakeStore()
    await _search(make_bench, in_order, FakeLab(), slots=1)
    for shuffle in range(4):
        delays = Random(shuffle)
        shuffled = FakeStore()
        await _search(make_bench, shuffled, FakeLab(lambda d=delays: d.random() / 200), slots=5)
        assert _story(shuffled) == _story(in_order)


async def test_another_seed_tells_another_story(make_bench: MakeBench) -> None:
    first, second = FakeStore(), FakeStore()
    await CampaignLoop(make_bench(first, FakeLab(), seed=0), Limits(experiments=6), slots=1).run()
    await CampaignLoop(make_bench(second, FakeLab(), seed=1), Limits(experiments=6), slots=1).run()
    assert _story(first) != _story(second)


@pytest.mark.parametrize("after", [0, 1, 3, 8])
async def test_a_campaign_cut_off_and_resumed_ends_like_one_that_was_not(make_bench: MakeBench, after: int) -> None:
    whole = FakeStore()
    await _search(make_bench, whole, FakeLab(), slots=2)

    cut, recorded = FakeStore(), asyncio.Event()

    def listen(notice: Notice) -> None:
        if isinstance(notice, Recorded) and notice.done > after:
            recorded.set()

    bench = make_bench(cut, FakeLab(lambda: 0.001), listen=listen)
    task = asyncio.create_task(CampaignLoop(bench, Limits(experiments=COUNT), slots=2).run())
    await asyncio.wait_for(recorded.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(list(cut.experiments())) < COUNT
    await _search(make_bench, cut, FakeLab(), slots=2)
    assert _story(cut) == _story(whole)


async def test_blind_scoring_is_told_where_the_reference_is_weak_also_after_a_restart(make_bench: MakeBench) -> None:
    store, first, second = FakeStore(), FakeLab(), FakeLab()
    await _search(make_bench, store, first, slots=2, count=3)
    await _search(make_bench, store, second, slots=2)
    reference = store.experiment(0)
    assert reference is not None
    assert all(run.held_out_losses for run in reference.runs)
    assert not any(run.held_out_losses for e in store.experiments() if e.index for run in e.runs)
    orders = [order for order in [*first.orders, *second.orders] if order.baseline is not None]
    assert orders
    for order in orders:
        assert order.baseline is not None and order.baseline.score is not None and order.baseline_losses is not None
        assert order.baseline_losses[0, 0] == pytest.approx(order.baseline.score.loss_nats)


async def test_the_weights_of_one_seed_are_checked_again(make_bench: MakeBench) -> None:
    lab = FakeLab()
    await _search(make_bench, FakeStore(), lab, slots=1, count=3)
    assert {(order.key.seed, order.is_rechecked) for order in lab.orders} == {(0, True), (1, False)}


async def test_the_lab_is_told_which_training_follows_unless_that_is_known(make_bench: MakeBench) -> None:
    lab, store = FakeLab(), FakeStore()
    await _search(make_bench, store, lab, slots=1, count=3)
    for order in lab.orders:
        is_first = order.key.stage is StageName.LANGUAGE
        assert order.then == (order.key.model_copy(update={"stage": StageName.RECALL}) if is_first else None)
    again, half_known = FakeLab(), FakeStore()
    for run in (run for key in lab.orders if (run := store.run(key.key)) and run.key.stage is StageName.RECALL):
        half_known.save_run(run)
    await _search(make_bench, half_known, again, slots=1, count=3)
    assert again.orders and not any(order.then for order in again.orders)


async def test_finished_runs_are_never_done_twice(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), FakeLab()
    await _search(make_bench, store, lab, slots=2)
    again = FakeLab()
    await _search(make_bench, store, again, slots=2, count=COUNT + 1)
    finished = {order.key for order in lab.orders}
    assert not finished & {order.key for order in again.orders}


async def test_baselines_take_turns_with_inventions(make_bench: MakeBench) -> None:
    store = FakeStore()
    await _search(make_bench, store, FakeLab(), slots=1, count=5)
    authors = [experiment.proposal.author for experiment in store.experiments()]
    assert authors == [Author.BASELINE, Author.COMPOSER, Author.BASELINE, Author.COMPOSER, Author.COMPOSER]


async def test_fitness_waits_for_the_baselines_and_is_then_filled_in(make_bench: MakeBench) -> None:
    store, seen = FakeStore(), []

    def listen(notice: Notice) -> None:
        if isinstance(notice, Recorded):
            seen.append(notice.fitness)

    await CampaignLoop(make_bench(store, FakeLab(), listen=listen), Limits(experiments=6), slots=1).run()
    assert seen[:2] == [None, None]
    measured = [s for s in store.summaries() if s.is_measured]
    assert measured
    assert any(s.fitness is not None and math.isfinite(s.fitness) for s in measured if s.index < 2)


async def test_candidates_are_watched_against_the_reference_at_the_same_seed_and_stage(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), FakeLab()
    await _search(make_bench, store, lab, slots=1, count=4)
    watched = [order for order in lab.orders if order.baseline is not None]
    assert watched
    for order in watched:
        assert order.baseline is not None
        assert (order.baseline.key.stage, order.baseline.key.seed) == (order.key.stage, order.key.seed)
        assert order.baseline.key.sha == next(iter(store.proposals().values())).sha


async def test_draining_finishes_what_runs_and_starts_nothing(make_bench: MakeBench) -> None:
    store = FakeStore()

    def listen(notice: Notice) -> None:
        if isinstance(notice, Recorded) and notice.done == 3:
            loop.drain()

    loop = CampaignLoop(make_bench(store, FakeLab(), listen=listen), Limits(experiments=COUNT), slots=1)
    await loop.run()
    assert loop.done == 3
    assert len(store.proposals()) == 3


async def test_a_time_limit_starts_nothing_after_it(make_bench: MakeBench) -> None:
    store, ticks = FakeStore(), iter(range(10**6))
    bench = make_bench(store, FakeLab())
    bench = bench._replace(clock=bench.clock._replace(tick=lambda: float(next(ticks))))
    await CampaignLoop(bench, Limits(wall_s=30.0), slots=1).run()
    assert 0 < len(store.summaries()) < COUNT


async def test_a_compute_limit_counts_earlier_sessions(make_bench: MakeBench) -> None:
    store = FakeStore()
    await _search(make_bench, store, FakeLab(), slots=1, count=4)
    used = sum(experiment.cost.cpu_s for experiment in store.experiments())
    await CampaignLoop(make_bench(store, FakeLab()), Limits(compute_s=used), slots=1).run()
    assert len(store.summaries()) == 4


class _BrokenLab(FakeLab):
    async def check(self, source: str, adapter: Adapter = Adapter.MIXER) -> CheckReport:
        raise LabError("the warm parent could not be started")


async def test_our_own_failure_ends_the_campaign_and_scores_nothing(make_bench: MakeBench) -> None:
    store = FakeStore()
    with pytest.raises(LabError, match="warm parent"):
        await _search(make_bench, store, _BrokenLab(), slots=2)
    assert list(store.experiments()) == []


class _Exhausted:
    """Has ideas up to an index."""

    def __init__(self, inner: Researcher, until: int) -> None:
        self._inner = inner
        self._until = until

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        if brief.experiment >= self._until:
            raise MindUnavailable("nobody answers")
        return await self._inner.propose(brief, rng)


async def test_a_silent_mind_ends_the_campaign_after_what_is_in_flight(make_bench: MakeBench) -> None:
    store, whole = FakeStore(), FakeStore()
    bench = make_bench(store, FakeLab(lambda: 0.001))
    with pytest.raises(MindUnavailable):
        await CampaignLoop(
            bench._replace(researcher=_Exhausted(bench.researcher, 9)), Limits(experiments=COUNT), slots=4
        ).run()
    assert len(store.proposals()) == len(store.summaries()) == 9
    await CampaignLoop(bench, Limits(experiments=COUNT), slots=4).run()
    await _search(make_bench, whole, FakeLab(), slots=1)
    assert _story(store) == _story(whole)


class _Thinking:
    """Has its first idea at once, and thinks about the next for ever."""

    def __init__(self, inner: Researcher) -> None:
        self._inner = inner
        self.asked = asyncio.Event()
        self.was_left = False

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        if brief.experiment == 1:
            return await self._inner.propose(brief, rng)
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_left = True
        raise AssertionError("nobody waits for ever")


@pytest.mark.parametrize("how", ["drained", "cancelled", "out of time"])
async def test_nobody_is_waited_for_once_the_campaign_is_over(make_bench: MakeBench, how: str) -> None:
    store = FakeStore()
    bench = make_bench(store, FakeLab())
    mind = _Thinking(bench.researcher)
    started = asyncio.get_running_loop().time()
    clock = bench.clock._replace(tick=lambda: asyncio.get_running_loop().time() - started)
    limits = Limits(experiments=COUNT, wall_s=0.5 if how == "out of time" else None)
    loop = CampaignLoop(bench._replace(researcher=mind, clock=clock), limits, slots=1)
    task = asyncio.create_task(loop.run())
    await mind.asked.wait()
    if how == "drained":
        loop.drain()
    elif how == "cancelled":
        task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    assert done
    assert task.cancelled() is (how == "cancelled")
    assert mind.was_left
    assert sorted(store.proposals()) == [s.index for s in store.summaries()] == [0, 1, 2]


async def test_a_failure_of_ours_is_told_while_somebody_thinks(make_bench: MakeBench) -> None:
    bench = make_bench(FakeStore(), _LateBreak(lambda: 0.01))
    mind = _Thinking(bench.researcher)
    with pytest.raises(LabError, match="warm parent"):
        await asyncio.wait_for(
            CampaignLoop(bench._replace(researcher=mind), Limits(experiments=COUNT), slots=4).run(), 10
        )


class _LateBreak(FakeLab):
    """Breaks with the experiment that runs while the third idea is thought about."""

    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        if "name" not in order.source:
            await asyncio.sleep(0.2)
            raise LabError("the warm parent is gone")
        return await super().run(order, on_progress)


class _CrashingLab(FakeLab):
    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        outcome = Crashed(stage=StageName.LANGUAGE, reason="boom")
        return Run(key=order.key, outcome=outcome, losses=(), steps=0, tokens=0), b""


async def test_a_baseline_that_can_not_be_measured_ends_the_campaign_with_its_reason(make_bench: MakeBench) -> None:
    with pytest.raises(LabError, match=r"delta_net could not be measured.*boom"):
        await _search(make_bench, FakeStore(), _CrashingLab(), slots=1)


class _DoubtingLab(FakeLab):
    """These seeds ask for an early stop of every invention."""

    def __init__(self, *doubtful: int) -> None:
        super().__init__()
        self._doubtful = doubtful

    async def check(self, source: str, adapter: Adapter = Adapter.MIXER) -> CheckReport:
        return (await super().check(source, adapter)).model_copy(update={"findings": ()})

    def wants_to_stop(self, order: RunOrder) -> bool:
        return order.key.seed in self._doubtful


@pytest.mark.parametrize(("doubtful", "kind"), [((1,), "measured"), ((0,), "measured"), ((0, 1), "stopped_early")])
async def test_an_early_stop_stands_only_when_all_seeds_ask_for_it(
    make_bench: MakeBench, doubtful: tuple[int, ...], kind: str
) -> None:
    store = FakeStore()
    lab = _DoubtingLab(*doubtful)
    await CampaignLoop(make_bench(store, lab), Limits(experiments=2), slots=1).run()
    invention = store.experiment(1)
    assert invention is not None
    assert invention.outcome.kind == kind
    assert not any(run.would_stop for run in invention.runs)
    trained = [order for order in lab.orders if order.baseline is not None and order.key.stage is StageName.LANGUAGE]
    assert len(trained) == 2, "nothing is trained twice"
