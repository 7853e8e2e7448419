from random import Random
from typing import Any

import pytest

from asi_arch.agents.minds.researcher import Form, Inventor, unfenced
from asi_arch.domain.candidate import Author, fingerprint
from asi_arch.domain.minds import BadAnswer, MindUnavailable
from asi_arch.domain.ports import Brief
from asi_arch.testing.fake_mind import FakeMind

CODE = """\
class Mixer:
    def __init__(self, hidden_size, num_heads, layer_idx):
        self.size = hidden_size

    def forward(self, x):
        return x
"""
IDEA: dict[str, Any] = {
    "motivation": "The parent writes every token with the same strength.",
    "name": "QuietWriteNet",
    "change": "Adds a gate that keeps filler tokens out of the memory.",
    "expectation": {"quantity": "recall accuracy", "direction": "rise", "by": 0.05},
    "mechanisms": ["write gate", "write gate", "delta rule"],
}


async def test_a_whole_program_becomes_a_proposal(brief: Brief) -> None:
    mind = FakeMind([{**IDEA, "code": f"```python\n{CODE}```"}])
    proposal = await Inventor(mind).propose(brief, Random(0))
    assert (proposal.author, proposal.name) == (Author.MODEL, "QuietWriteNet")
    assert proposal.source == CODE
    assert proposal.fingerprint == fingerprint(CODE)
    assert proposal.mechanisms == ("write gate", "delta rule")
    assert proposal.expectation == "Recall accuracy should rise by about 0.05."
    assert (proposal.parent, proposal.references) == (3, (4,))


async def test_edits_change_the_parents_program(brief: Brief) -> None:
    assert brief.parent is not None
    line = next(line for line in brief.parent.source.splitlines() if "sigmoid(" in line)
    edits = [{"search": line, "replace": line.replace("sigmoid(", "tanh(")}]
    proposal = await Inventor(FakeMind([{**IDEA, "edits": edits}]), Form.EDITS).propose(brief, Random(0))
    assert proposal.source == brief.parent.source.replace(line, line.replace("sigmoid(", "tanh("))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("class Mixer:\n    def forward(self, x):\n", "not Python"),
        ("def mixer(): ...\n", "one class Mixer"),
    ],
)
async def test_what_is_no_program_is_sent_back(brief: Brief, code: str, told: str) -> None:
    mind = FakeMind([{**IDEA, "code": code}, {**IDEA, "code": CODE}])
    proposal = await Inventor(mind).propose(brief, Random(0))
    assert told in mind.complaints[0]
    assert proposal.source == CODE


async def test_the_parent_under_another_name_is_no_idea(brief: Brief) -> None:
    assert brief.parent is not None
    mind = FakeMind([{**IDEA, "code": f"# mine\n{brief.parent.source}"}])
    with pytest.raises(BadAnswer):
        await Inventor(mind).propose(brief, Random(0))
    assert "the parent, unchanged" in mind.complaints[0]


async def test_a_search_that_fits_nowhere_is_sent_back(brief: Brief) -> None:
    mind = FakeMind([{**IDEA, "edits": [{"search": "nothing like it", "replace": ""}]}])
    with pytest.raises(BadAnswer):
        await Inventor(mind, Form.EDITS).propose(brief, Random(0))
    assert "nearest place" in mind.complaints[0]


async def test_a_mind_that_is_away_is_told_as_that(brief: Brief) -> None:
    with pytest.raises(MindUnavailable):
        await Inventor(FakeMind([MindUnavailable("down")])).propose(brief, Random(0))


@pytest.mark.parametrize("form", list(Form))
async def test_the_prompt_quotes_the_parent_and_its_numbers(brief: Brief, form: Form) -> None:
    mind = FakeMind([])
    with pytest.raises(BadAnswer):
        await Inventor(mind, form).propose(brief, Random(0))
    assert brief.parent is not None
    (prompt,) = mind.prompts
    assert brief.parent.source.strip() in prompt.user
    assert "language loss" in prompt.user
    assert "Failing" in prompt.user
    assert "To build it: Compute the decay in log space." in prompt.user
    assert ('"search"' in prompt.user) is (form is Form.EDITS)


def test_a_quotation_in_the_code_stays() -> None:
    assert unfenced('"""```"""\nx = 1') == '"""```"""\nx = 1\n'
