import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, baseline_proposal, rendered
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.minds import MindUnavailable, Role
from asi_arch.domain.profile import AgentsSpec, Policy
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import can_debug, can_play, idea_role, thinking
from asi_arch.settings import Settings
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
FORECAST = {"quantity": "language loss", "direction": "fall", "by": 0.02}
REASON = "The parent can't fade what no longer matters, and a decay lets it."


def composed_baseline(name: str) -> Proposal:
    return baseline_proposal(name, rendered(BASELINE_DESIGNS[name], name), "", name)


def bench_of(make_bench: MakeBench, store: FakeStore, said: list[Notice]) -> Bench:
    """Without the novelty check, which has tests of its own."""
    bench = make_bench(store, FakeLab(), listen=said.append)
    profile = bench.campaign.profile.model_copy(update={"agents": AgentsSpec(novelty=False)})
    return bench._replace(campaign=bench.campaign.model_copy(update={"profile": profile}), baseline=composed_baseline)


def settings_of(folder: Path, plan: MindPlan) -> Settings:
    return Settings(state=folder / "state", cache=folder / "cache", minds=plan)


@pytest.mark.parametrize(
    ("plan", "judges"),
    [
        (MindPlan(), False),
        (MindPlan(default="openai:some-model"), True),
        (MindPlan(default="gguf:model.gguf"), False),
        (MindPlan(default="inbox:questions"), False),
        (MindPlan(default="gguf:model.gguf", roles={Role.JUDGE: "gguf:model.gguf"}), True),
        (MindPlan(roles={Role.JUDGE: "inbox:questions"}), True),
    ],
)
def test_who_marks_follows_from_the_plan(plan: MindPlan, judges: bool) -> None:
    assert can_play(plan, Role.JUDGE) is judges


async def answer_all(inbox: Path, reply: Callable[[str], dict[str, object]]) -> None:
    """Answer every question that appears, until cancelled."""
    while True:
        for page in sorted(inbox.glob("*.md")):
            answer = page.with_suffix(".json")
            if not answer.exists():
                part = answer.with_suffix(".part")
                part.write_text(json.dumps(reply(page.read_text(encoding="utf-8"))), encoding="utf-8")
                part.rename(answer)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("plan", "role", "debugs"),
    [
        (MindPlan(), None, False),
        (MindPlan(default="openai:some-model"), Role.RESEARCHER, True),
        (MindPlan(default="gguf:model.gguf"), Role.DESIGNER, False),
        (MindPlan(default="gguf:m.gguf", roles={Role.RESEARCHER: "inbox:q"}), Role.RESEARCHER, False),
        (MindPlan(roles={Role.DESIGNER: "openai:small"}), Role.DESIGNER, False),
        (MindPlan(roles={Role.DESIGNER: "gguf:m.gguf", Role.DEBUGGER: "openai:large"}), Role.DESIGNER, True),
    ],
)
def test_who_has_the_ideas_and_who_mends_follows_from_the_plan(plan: MindPlan, role: Role | None, debugs: bool) -> None:
    assert (idea_role(plan), can_debug(plan)) == (role, debugs)


async def test_ideas_come_from_whoever_answers_in_the_inbox(make_bench: MakeBench, tmp_path: Path) -> None:
    store, said = FakeStore(), list[Notice]()
    decays = iter(["scalar_decay", "channel_decay", "retention"])
    inbox = tmp_path / "questions"

    def reply(page: str) -> dict[str, object]:
        assert "delta_rule" in page
        choice = {"remove": [], "add": [next(decays)], "settings": []}
        return {"weakness": REASON, **choice, "motivation": REASON, "expectation": FORECAST}

    plan = MindPlan(roles={Role.DESIGNER: f"inbox:{inbox}"}, inbox_patience_s=30.0)
    bench = bench_of(make_bench, store, said)
    person = asyncio.create_task(answer_all(inbox, reply))
    try:
        async with thinking(bench, tmp_path, settings_of(tmp_path, plan)) as thoughtful:
            await CampaignLoop(thoughtful, Limits(experiments=4), slots=1).run()
    finally:
        person.cancel()
    invented = [e.proposal for e in store.experiments() if e.proposal.author is not Author.BASELINE]
    assert [proposal.author for proposal in invented] == [Author.DESIGNER, Author.DESIGNER]
    assert "scalar_decay" in invented[0].mechanisms
    assert invented[0].motivation == REASON
    told = [notice.text for notice in said if isinstance(notice, Said)]
    assert [f"asking inbox:{inbox} as designer about {n}" for n in (1, 3)] == told


async def test_a_judge_alone_marks_what_the_composer_invents(make_bench: MakeBench, tmp_path: Path) -> None:
    store, said, inbox = FakeStore(), list[Notice](), tmp_path / "marks"
    opinion = {"reason": "It forgets at a rate of its own.", "mark": 10}

    def reply(page: str) -> dict[str, object]:
        assert "The program to mark:" in page
        return {"innovation": opinion, "simplicity": opinion}

    plan = MindPlan(roles={Role.JUDGE: f"inbox:{inbox}"}, inbox_patience_s=30.0)
    bench = bench_of(make_bench, store, said)
    person = asyncio.create_task(answer_all(inbox, reply))
    try:
        async with thinking(bench, tmp_path, settings_of(tmp_path, plan)) as judged:
            assert judged.researcher is bench.researcher
            await CampaignLoop(judged, Limits(experiments=2), slots=1).run()
    finally:
        person.cancel()
    for experiment in store.experiments():
        judgement = experiment.judgement
        assert judgement is not None
        assert (judgement.judge, judgement.agreement) == ("model", 1.0)
        assert [mark.samples for mark in judgement.marks] == [(), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)]
        about = f"asking inbox:{inbox} as judge about {experiment.index}"
        assert sum(isinstance(n, Said) and n.text == about for n in said) == 3


async def test_marks_can_be_replayed_from_the_record(make_bench: MakeBench, tmp_path: Path) -> None:
    stores, inbox = (FakeStore(), FakeStore()), tmp_path / "marks"
    levels = iter(range(1, 11))

    def reply(page: str) -> dict[str, object]:
        opinion = {"reason": "It forgets at a rate of its own.", "mark": next(levels)}
        return {"innovation": opinion, "simplicity": opinion}

    folders = tmp_path / "first", tmp_path / "second"
    for store, folder, spec in zip(stores, folders, (f"inbox:{inbox}", f"replay:{folders[0]}"), strict=True):
        folder.mkdir()
        plan = MindPlan(roles={Role.JUDGE: spec}, inbox_patience_s=30.0)
        person = asyncio.create_task(answer_all(inbox, reply))
        try:
            async with thinking(bench_of(make_bench, store, []), folder, settings_of(folder, plan)) as judged:
                await CampaignLoop(judged, Limits(experiments=2), slots=1).run()
        finally:
            person.cancel()
    first, second = ([experiment.judgement for experiment in store.experiments()] for store in stores)
    assert first == second
    assert first[0] is not None
    assert first[0].judge == "model"
    assert first[0].agreement != 1.0


async def test_a_profile_keeps_its_marks_from_models(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = bench_of(make_bench, FakeStore(), [])
    quiet = bench.campaign.profile.model_copy(update={"agents": AgentsSpec(judge=False)})
    campaign = bench.campaign.model_copy(update={"profile": quiet})
    plan = MindPlan(roles={Role.JUDGE: f"inbox:{tmp_path / 'q'}"})
    async with thinking(bench._replace(campaign=campaign), tmp_path, settings_of(tmp_path, plan)) as same:
        assert same.judge is bench.judge


async def test_a_silent_judge_ends_no_campaign(make_bench: MakeBench, tmp_path: Path) -> None:
    store, said = FakeStore(), list[Notice]()
    plan = MindPlan(roles={Role.JUDGE: f"inbox:{tmp_path / 'q'}"}, inbox_patience_s=0.05)
    async with thinking(bench_of(make_bench, store, said), tmp_path, settings_of(tmp_path, plan)) as judged:
        await CampaignLoop(judged, Limits(experiments=2), slots=1).run()
    judgements = [experiment.judgement for experiment in store.experiments()]
    assert all(j is not None and j.judge == "constant" and "No usable marks" in j.note for j in judgements)
    told = [n.text for n in said if isinstance(n, Said) and "the judge without a model marks this one" in n.text]
    assert len(told) == len(judgements) == 2


async def test_nobody_is_asked_for_the_control_arm(make_bench: MakeBench, tmp_path: Path) -> None:
    said: list[Notice] = []
    bench = bench_of(make_bench, FakeStore(), said)
    profile = bench.campaign.profile
    search = profile.search.model_copy(update={"policy": Policy.RANDOM})
    campaign = bench.campaign.model_copy(update={"profile": profile.model_copy(update={"search": search})})
    plan = MindPlan(roles={Role.DESIGNER: f"inbox:{tmp_path / 'q'}"})
    async with thinking(bench._replace(campaign=campaign), tmp_path, settings_of(tmp_path, plan)) as control:
        assert control.researcher is bench.researcher
    assert said == [Said("the random arm is a control: no mind is asked")]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("when_silent", ["stop", "compose"])
async def test_silence_ends_the_campaign_or_somebody_stands_in(
    make_bench: MakeBench, tmp_path: Path, when_silent: str
) -> None:
    store, said = FakeStore(), list[Notice]()
    roles = {Role.DESIGNER: f"inbox:{tmp_path / 'q'}"}
    plan = MindPlan.model_validate({"roles": roles, "inbox_patience_s": 0.05, "when_silent": when_silent})
    bench = bench_of(make_bench, store, said)
    async with thinking(bench, tmp_path, settings_of(tmp_path, plan)) as thoughtful:
        loop = CampaignLoop(thoughtful, Limits(experiments=4), slots=1)
        if when_silent == "stop":
            with pytest.raises(MindUnavailable):
                await loop.run()
            assert len(store.summaries()) == 1
        else:
            await loop.run()
            told = [notice.text for notice in said if isinstance(notice, Said)]
            assert len(store.summaries()) == 4
            assert sum("the composer takes over" in text for text in told) == 2


async def test_a_checker_where_nobody_writes_programs_is_told(make_bench: MakeBench, tmp_path: Path) -> None:
    said: list[Notice] = []
    plan = MindPlan(roles={Role.DESIGNER: f"inbox:{tmp_path / 'q'}", Role.CHECKER: "inbox:q"})
    async with thinking(bench_of(make_bench, FakeStore(), said), tmp_path, settings_of(tmp_path, plan)):
        pass
    assert [n.text for n in said if isinstance(n, Said)] == [
        "the checker reads programs that a researcher wrote, and none writes here, so it is not asked"
    ]


async def test_free_programs_need_containment(make_bench: MakeBench, tmp_path: Path) -> None:
    plan = MindPlan(roles={Role.RESEARCHER: f"inbox:{tmp_path / 'q'}"})
    settings = settings_of(tmp_path, plan).model_copy(update={"containment": "process"})
    with pytest.raises(UserError, match="nothing here can contain"):
        async with thinking(bench_of(make_bench, FakeStore(), []), tmp_path, settings):
            raise AssertionError("not reached")
