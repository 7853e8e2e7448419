from random import Random
from typing import Any

import pytest

from asi_arch.agents.minds.designer import Designer
from asi_arch.agents.minds.prompting import estimated_tokens
from asi_arch.agents.minds.summariser import MAX_WORDS, Briefed, Summariser, question
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.minds import BadAnswer, MindUnavailable, Role
from asi_arch.domain.ports import Brief, Known
from asi_arch.testing.fake_mind import FakeMind
from asi_arch.testing.records import make_analysis, make_experiment, make_proposal

MOST_TOKENS = 1800
LINES = [
    "A decay per channel lowered the loss by 0.021 nats, twice the noise; keep the spread.",
    "A second gate did nothing beyond the noise; leave it out.",
]
DIGEST: dict[str, Any] = {"lines": LINES}
SKETCH = {
    "weakness": "It can't forget what no longer matters.",
    "remove": [],
    "add": ["channel_decay"],
    "settings": [],
    "motivation": "A decay per channel lets every feature fade at its own rate.",
    "expectation": {"quantity": "language loss", "direction": "fall", "by": 0.03},
}


def references(*indices: int) -> list[Experiment]:
    return [make_experiment(index, make_proposal(f"Reference{index}")) for index in indices]


def briefed(brief: Brief, *indices: int, cycle: int = 12) -> Brief:
    known = brief.known()._replace(references=references(*indices))
    return brief._replace(known=lambda: known, reference_indices=indices, cycle=cycle)


async def test_the_same_references_are_condensed_once_per_cycle() -> None:
    mind = FakeMind([DIGEST] * 4)
    summariser = Summariser(mind)
    for _ in range(3):
        assert await summariser.experience(references(4, 5), 12) == tuple(LINES)
    assert len(mind.prompts) == 1
    await summariser.experience(references(4, 6), 12)
    assert len(mind.prompts) == 2, "other references"
    await summariser.experience(references(4, 5), 14)
    assert len(mind.prompts) == 3, "a new cycle is told afresh"


async def test_another_order_of_the_same_references_is_no_other_question() -> None:
    mind = FakeMind([DIGEST])
    summariser = Summariser(mind)
    assert await summariser.experience(references(5, 4), 12) == (LINES[1], LINES[0])
    assert await summariser.experience(references(4, 5), 12) == tuple(LINES)


async def test_a_researcher_is_told_what_was_condensed(brief: Brief) -> None:
    mind = FakeMind([SKETCH])
    researcher = Briefed(Designer(mind), Summariser(FakeMind([DIGEST])), lambda _: None)
    await researcher.propose(briefed(brief, 4, 5), Random(0))
    assert all(line in mind.prompts[0].user for line in LINES)
    assert "- Reference4 (channel_decay, output_gate): language loss" in mind.prompts[0].user


async def test_without_an_answer_the_records_are_told_as_they_are(brief: Brief) -> None:
    mind, plain, said = FakeMind([SKETCH]), FakeMind([SKETCH]), list[str]()
    silent = Summariser(FakeMind([MindUnavailable("down")]))
    await Briefed(Designer(mind), silent, said.append).propose(briefed(brief, 4, 5), Random(0))
    await Designer(plain).propose(briefed(brief, 4, 5), Random(0))
    assert mind.prompts == plain.prompts
    assert said == ["#7: down; what the references taught is told as it was recorded"]


async def test_the_researchers_own_silence_is_not_hidden(brief: Brief) -> None:
    researcher = Briefed(Designer(FakeMind([MindUnavailable("down")])), Summariser(FakeMind([DIGEST])), print)
    with pytest.raises(MindUnavailable):
        await researcher.propose(briefed(brief, 4, 5), Random(0))


async def test_nobody_is_asked_where_nothing_was_found_out(brief: Brief) -> None:
    summaries, bare = FakeMind([]), references(4)[0].model_copy(update={"analysis": None})
    for known in (Known(), Known(references=[bare])):
        told = brief._replace(known=lambda known=known: known)
        await Briefed(Designer(FakeMind([SKETCH])), Summariser(summaries), print).propose(told, Random(0))
    assert summaries.prompts == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (LINES[:1], "must be 2 lines"),
        (["It raised recall by 9 points.", "It raised recall by 8 points."], "Line 1 states 9 points"),
    ],
)
async def test_what_is_no_summary_is_sent_back(lines: list[str], told: str) -> None:
    mind = FakeMind([{"lines": lines}])
    with pytest.raises(BadAnswer):
        await Summariser(mind).experience(references(4, 5), 12)
    assert told in mind.complaints[0]


async def test_a_sentence_with_a_number_of_another_experiment_is_left_out() -> None:
    lines = [f"{LINES[0]} It raised recall by 9 points.", "It raised recall by 9 points."]
    found = await Summariser(FakeMind([{"lines": lines}])).experience(references(4, 5), 12)
    assert found == (LINES[0], "")


async def test_a_long_line_ends_where_its_words_do() -> None:
    lines = ["word " * 80 + "end", LINES[1]]
    found = await Summariser(FakeMind([{"lines": lines}])).experience(references(4, 5), 12)
    assert len(found[0].split()) == MAX_WORDS // 2 + 1
    assert found[0].endswith(" ...")


async def test_names_of_designs_are_no_numbers() -> None:
    named = [LINES[0], "DeltaEluNet-4a47 did nothing beyond the noise."]
    assert await Summariser(FakeMind([{"lines": named}])).experience(references(4, 5), 12) == tuple(named)


async def test_a_reference_without_a_true_line_is_told_by_its_idea(brief: Brief) -> None:
    mind, lines = FakeMind([SKETCH]), [LINES[0], "It raised recall by 9 points."]
    researcher = Briefed(Designer(mind), Summariser(FakeMind([{"lines": lines}])), lambda _: None)
    await researcher.propose(briefed(brief, 4, 5), Random(0))
    assert "9 points" not in mind.prompts[0].user
    assert references(5)[0].proposal.motivation in mind.prompts[0].user


def test_the_question_is_short_and_cool() -> None:
    long = "It moved by 0.021 nats; " * 100
    analysis = make_analysis().model_copy(update={"results": long, "lessons": long})
    shown = [
        make_experiment(n, make_proposal(f"Net{n}", motivation=long)).model_copy(update={"analysis": analysis})
        for n in range(4)
    ]
    asked = question(shown, 12)
    assert (asked.role, asked.temperature, asked.subject) == (Role.SUMMARISER, 0.2, "cycle 12")
    assert f"at most {MAX_WORDS // 4} words" in " ".join(asked.prompt.system.split())
    assert estimated_tokens(asked.prompt) < MOST_TOKENS
