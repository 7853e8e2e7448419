import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, Composer, baseline_proposal, rendered
from asi_arch.agents.minds.reflector import MindReflector
from asi_arch.agents.reflection import StatisticsReflector
from asi_arch.domain.agenda import Agenda, in_force, standings
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import MindUnavailable, Role
from asi_arch.domain.outcome import StoppedEarly
from asi_arch.domain.ports import Brief
from asi_arch.domain.profile import AgentsSpec, Policy, SearchSpec, StageName
from asi_arch.domain.reflection import Hindsight
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Recorded, Said
from asi_arch.engine.reflecting import results_of
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import can_play, thinking
from asi_arch.search.fitness import Fitness
from asi_arch.settings import Settings
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_mind import FakeMind
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_experiment, make_profile, make_proposal

MakeBench = Callable[..., Bench]
COUNT = 16


def composed_baseline(name: str) -> Proposal:
    return baseline_proposal(name, rendered(BASELINE_DESIGNS[name], name), "", name)


class CountedReflector(StatisticsReflector):
    def __init__(self) -> None:
        self.asked: list[int] = []

    async def reflect(self, seen: Hindsight) -> Agenda:
        assert [e.index for e in seen.experiments] == list(range(seen.snapshot))
        self.asked.append(seen.snapshot)
        return await super().reflect(seen)


class ListeningComposer(Composer):
    def __init__(self) -> None:
        self.heard: dict[int, Agenda | None] = {}

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        self.heard[brief.experiment] = brief.agenda
        return await super().propose(brief, rng)


def reflective(bench: Bench, reflector: StatisticsReflector | None = None) -> Bench:
    return bench._replace(
        researcher=ListeningComposer(), baseline=composed_baseline, reflector=reflector or StatisticsReflector()
    )


def story(store: FakeStore) -> tuple[list[str], list[Agenda]]:
    return [e.model_dump_json() for e in store.experiments()], [s.agenda for s in standings(store.events())]


async def search(bench: Bench, *, slots: int = 1, count: int = COUNT) -> None:
    await CampaignLoop(bench, Limits(experiments=count), slots=slots).run()


async def test_every_batch_writes_one_agenda_whoever_finishes_first(make_bench: MakeBench) -> None:
    in_order, shuffled, delays = FakeStore(), FakeStore(), Random(1)
    await search(reflective(make_bench(in_order, FakeLab())))
    await search(reflective(make_bench(shuffled, FakeLab(lambda: delays.random() / 200))), slots=5)
    assert story(shuffled) == story(in_order)
    agendas = story(in_order)[1]
    assert [agenda.snapshot for agenda in agendas] == list(range(4, COUNT, 2))
    assert agendas[0].weights == {}
    assert agendas[-1].weights


async def test_a_campaign_cut_off_takes_the_stored_agendas_again_and_ends_the_same(make_bench: MakeBench) -> None:
    whole, cut, recorded = FakeStore(), FakeStore(), asyncio.Event()
    await search(reflective(make_bench(whole, FakeLab())), slots=2)

    def listen(notice: Notice) -> None:
        if isinstance(notice, Recorded) and notice.done > 9:
            recorded.set()

    first, second = CountedReflector(), CountedReflector()
    bench = make_bench(cut, FakeLab(lambda: 0.001), listen=listen)
    task = asyncio.create_task(search(reflective(bench, first), slots=2))
    await recorded.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await search(reflective(make_bench(cut, FakeLab()), second), slots=2)
    assert story(cut) == story(whole)
    assert first.asked and second.asked
    assert not set(first.asked) & set(second.asked)


async def test_after_a_rollback_new_proposals_follow_the_agenda_before(make_bench: MakeBench) -> None:
    store = FakeStore()
    await search(reflective(make_bench(store, FakeLab())), count=13)
    store.append(EventKind.ROLLED_BACK, None, {"snapshot": 12})
    known = standings(store.events())
    assert [s.agenda.snapshot for s in known if not s.is_valid] == [12]
    now = in_force(known)
    assert now is not None and now.snapshot == 10
    bench = reflective(make_bench(store, FakeLab()))
    await search(bench)
    assert isinstance(bench.researcher, ListeningComposer)
    snapshots = {index: agenda and agenda.snapshot for index, agenda in bench.researcher.heard.items()}
    assert snapshots == {13: 10, 14: 14, 15: 14}


async def test_a_campaign_that_does_not_reflect_has_no_agenda(make_bench: MakeBench) -> None:
    store = FakeStore()
    bench = reflective(make_bench(store, FakeLab()))._replace(reflector=None)
    await search(bench, count=8)
    assert isinstance(bench.researcher, ListeningComposer)
    assert set(bench.researcher.heard.values()) == {None}
    assert not any(event.kind is EventKind.REFLECTED for event in store.events())


async def test_a_model_that_does_not_answer_leaves_the_statistics(make_bench: MakeBench) -> None:
    silent, alone, said = FakeStore(), FakeStore(), list[Notice]()
    await search(reflective(make_bench(alone, FakeLab())))
    bench = reflective(make_bench(silent, FakeLab(), listen=said.append))
    mind = FakeMind([MindUnavailable("nobody is there")] * COUNT)
    assert bench.reflector is not None
    reflector = MindReflector(mind, bench.reflector, lambda text: said.append(Said(text)))
    await search(bench._replace(reflector=reflector))
    assert story(silent) == story(alone)
    assert any("nobody is there; it is written from the statistics alone" in str(n) for n in said)


def test_the_random_arm_never_reflects() -> None:
    profile = make_profile(agents=AgentsSpec(reflection=True))
    search: SearchSpec = profile.search.model_copy(update={"policy": Policy.RANDOM})
    assert profile.reflects
    assert not profile.model_copy(update={"search": search}).reflects
    assert not make_profile().reflects


def test_reflection_is_recorded_in_the_profile_and_is_no_other_measurement() -> None:
    plain, looking = make_profile(), make_profile(agents=AgentsSpec(reflection=True))
    assert plain.profile_hash != looking.profile_hash
    assert plain.protocol_hash("d") == looking.protocol_hash("d")
    old = plain.model_dump(mode="json")
    del old["agents"]
    assert type(plain).model_validate(old).profile_hash == plain.profile_hash


def test_what_was_stopped_early_counts_with_its_distance_to_the_reference() -> None:
    stop = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.2, baseline_loss_nats=2.0, margin=0.1)
    floor = make_experiment(1, make_proposal("floor"), language=(2.0, 2.0), recall=(0.3, 0.3))
    stopped = make_experiment(2, make_proposal("stopped", parent=0), outcome=stop)
    experiments = [make_experiment(0), floor, stopped]
    fitness = Fitness(make_profile().fitness, experiments[0].summary(), floor.summary())
    found = results_of(experiments, fitness)
    assert found[2].is_guessed and not found[0].is_guessed
    assert found[2].loss_nats == pytest.approx(found[0].loss_nats + 0.2)
    assert found[2].recall == found[0].recall
    assert found[2].gain < found[0].gain
    assert (found[0].gain_error or 0) > 0


@pytest.mark.parametrize(
    ("plan", "asks"),
    [
        (MindPlan(), False),
        (MindPlan(default="openai:m"), True),
        (MindPlan(default="gguf:m.gguf"), False),
        (MindPlan(default="gguf:m.gguf", roles={Role.REFLECTOR: "openai:m"}), True),
    ],
)
def test_who_writes_the_agenda_follows_from_the_plan(plan: MindPlan, asks: bool) -> None:
    assert can_play(plan, Role.REFLECTOR) is asks


async def test_a_mind_may_write_the_agenda_while_the_composer_has_the_ideas(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    bench = reflective(make_bench(FakeStore(), FakeLab()))
    plan = MindPlan(roles={Role.REFLECTOR: f"inbox:{tmp_path / 'q'}"})
    settings = Settings(state=tmp_path / "state", cache=tmp_path / "cache", minds=plan)
    async with thinking(bench, tmp_path, settings) as thoughtful:
        assert isinstance(thoughtful.reflector, MindReflector)
        assert thoughtful.researcher is bench.researcher
        assert thoughtful.debugger is None
