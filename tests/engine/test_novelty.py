"""The novelty check in a campaign, put together as the commands do it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import asi_arch.cognition.embedding
import asi_arch.novelty
from asi_arch.agents.composer import BASELINE_DESIGNS, baseline_proposal, rendered
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Role
from asi_arch.domain.novelty import Decider, Measure
from asi_arch.domain.profile import AgentsSpec
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import can_play, thinking
from asi_arch.novelty import diversifying, lookup_times, open_motivations
from asi_arch.settings import Settings
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign

MakeBench = Callable[..., Bench]
DECAY = (
    "Old associations crowd the state because nothing in the parent ever fades, so every head should let go of stale"
    " context at a rate that it can choose, and late tokens will be recalled as well as early ones."
)
BRANCH = (
    "Nearby tokens are copied badly by a memory of fixed size; a short window of softmax attention takes that part."
)


def answer(add: str, motivation: str) -> dict[str, object]:
    expectation = {"quantity": "language loss", "direction": "fall", "by": 0.02}
    choice = {"remove": [], "add": [add], "settings": []}
    return {"weakness": DECAY, **choice, "motivation": motivation, "expectation": expectation}


def reply(name: str, page: str) -> dict[str, object]:
    """The designer gives the same reason again for another decay; only elsewhere it has another idea."""
    if "Start from another discipline" in page:
        assert DECAY[:60] in page
        return answer("window_branch", BRANCH) | {"add": ["window_branch", "token_gates"]}
    return answer("scalar_decay" if name.startswith("designer-1") else "retention", DECAY)


async def answer_all(inbox: Path) -> None:
    while True:
        for page in sorted(inbox.glob("*.md")):
            if not page.with_suffix(".json").exists():
                part = page.with_suffix(".part")
                part.write_text(json.dumps(reply(page.stem, page.read_text(encoding="utf-8"))), encoding="utf-8")
                part.rename(page.with_suffix(".json"))
        await asyncio.sleep(0.02)


def composed_baseline(name: str) -> Proposal:
    """With a motivation of its own, as packaged baselines have one."""
    return baseline_proposal(name, rendered(BASELINE_DESIGNS[name], name), f"The baseline {name}.", name)


@pytest.fixture(autouse=True)
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asi_arch.novelty, "complaint_about_embeddings", lambda: "faiss not installed (pip)")


async def ideas(
    make_bench: MakeBench, folder: Path, *, answers: bool, novelty: bool = True
) -> tuple[FakeStore, list[str]]:
    """A campaign of four, two of them baselines, with the inbox answered or not."""
    store, said = FakeStore(), list[Notice]()
    inbox = folder / "questions"
    plan = MindPlan(roles={Role.DESIGNER: f"inbox:{inbox}"}, inbox_patience_s=60.0 if answers else 0.05)
    bench = make_bench(store, FakeLab(), listen=said.append)
    profile = bench.campaign.profile.model_copy(update={"agents": AgentsSpec(novelty=novelty)})
    campaign = bench.campaign.model_copy(update={"profile": profile})
    settings = Settings(state=folder / "state", cache=folder / "cache", minds=plan)
    person = asyncio.create_task(answer_all(inbox)) if answers else None
    try:
        async with thinking(bench._replace(campaign=campaign, baseline=composed_baseline), folder, settings) as found:
            await CampaignLoop(found, Limits(experiments=4), slots=1).run()
    finally:
        if person:
            person.cancel()
    return store, [notice.text for notice in said if isinstance(notice, Said)]


async def test_a_repeat_is_never_trained_and_a_resumed_campaign_agrees(make_bench: MakeBench, tmp_path: Path) -> None:
    store, told = await ideas(make_bench, tmp_path, answers=True)
    first, second = (store.proposals()[index] for index in (1, 3))
    assert first.novelty is not None and second.novelty is not None
    assert (first.novelty.decider, first.novelty.disciplines) == (Decider.SIMILARITY, ())
    assert second.motivation == BRANCH
    assert second.novelty.disciplines == (second.novelty.discipline,)
    assert second.novelty.measure is Measure.WORDS
    assert f"asking inbox:{tmp_path / 'questions'} as diversifier about 3" in told
    assert "whether an idea is new is told by shared words only: faiss not installed (pip)" in told
    again, told_again = await ideas(make_bench, tmp_path, answers=False)
    assert again.proposals() == store.proposals()
    assert not any(text.startswith("asking") for text in told_again), "every answer comes from the record"


async def test_switched_off_every_idea_is_taken(make_bench: MakeBench, tmp_path: Path) -> None:
    store, _ = await ideas(make_bench, tmp_path, answers=True, novelty=False)
    assert [store.proposals()[index].motivation for index in (1, 3)] == [DECAY, DECAY]
    assert [store.proposals()[index].novelty for index in (1, 3)] == [None, None]


@pytest.mark.parametrize(
    ("plan", "diversifier", "asks"),
    [
        (MindPlan(default="openai:large"), "openai:large", True),
        (MindPlan(default="gguf:m.gguf"), "gguf:m.gguf", False),
        (MindPlan(default="gguf:m.gguf", roles={Role.DESIGNER: "inbox:q"}), "inbox:q", False),
        (MindPlan(default="gguf:m.gguf", roles={Role.NOVELTY: "gguf:m.gguf"}), "gguf:m.gguf", True),
        (MindPlan(roles={Role.DESIGNER: "inbox:q", Role.DIVERSIFIER: "openai:large"}), "openai:large", False),
    ],
)
def test_who_is_asked_follows_from_the_plan(plan: MindPlan, diversifier: str, asks: bool) -> None:
    assert diversifying(plan, Role.DESIGNER).specs(Role.DIVERSIFIER) == (diversifier,)
    assert can_play(plan, Role.NOVELTY) is asks


def test_where_nobody_has_ideas_there_is_no_diversifier() -> None:
    assert diversifying(MindPlan(), None) == MindPlan()


def test_with_the_extra_motivations_are_compared_by_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if asi_arch.cognition.embedding.complaint_about_embeddings():
        pytest.skip("the extra is not installed")
    monkeypatch.setattr(asi_arch.novelty, "complaint_about_embeddings", lambda: None)
    said: list[str] = []
    found = open_motivations(make_campaign(), Settings(state=tmp_path, cache=tmp_path), said.append)
    assert (found.measure, said) == (Measure.MEANING, [])


def test_looking_up_is_timed() -> None:
    times = lookup_times(count=50, repetitions=3)
    assert (times["motivations"], times["measure"]) == (50, "words")
    assert 0 < times["lookup_ms"] < 1000
    assert 0 < times["encode_ms"] < 1000
