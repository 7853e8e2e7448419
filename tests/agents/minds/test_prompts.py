"""Every word that a model is told, as it was agreed: a change of a prompt is a change of these files."""

import re
from pathlib import Path

import pytest

from asi_arch.agents.minds import debugger, designer, judge, novelty, researcher
from asi_arch.agents.minds.disciplines import DISCIPLINES
from asi_arch.domain.minds import Prompt
from asi_arch.domain.novelty import Near
from asi_arch.domain.outcome import Rejected
from asi_arch.domain.ports import Brief, Evidence
from asi_arch.testing.records import make_proposal

GOLDEN = Path(__file__).parent / "golden"


def prompts(brief: Brief) -> dict[str, Prompt]:
    parent, known = brief.parent, brief.known()
    assert parent is not None
    rule = parent.model_copy(update={"motivation": "The delta rule replaces what a key holds."})
    earlier = {3: rule, 5: make_proposal("Fading", motivation="A decay for every channel.", change="Adds a decay.")}
    elsewhere = brief._replace(direction=DISCIPLINES[1].words, avoid=[novelty.told_of(earlier[5])], earlier=earlier)
    leak = Rejected(check="future", reason="Position 3 depends on position 7")
    evidence = Evidence(None, None, (), brief.references, None, 7)
    return {
        "judge": judge.question(parent.model_copy(update={"motivation": "It replaces."}), evidence, 2, 3).prompt,
        "designer": designer.question(brief, known).prompt,
        "researcher_whole": researcher.question_for_program(brief, known).prompt,
        "researcher_edits": researcher.question_for_edits(brief, known, parent).prompt,
        "designer_elsewhere": designer.question(elsewhere, known).prompt,
        "researcher_elsewhere": researcher.question_for_program(elsewhere, known).prompt,
        "novelty": novelty.question(elsewhere, make_proposal("Leaky"), [Near(5, 0.8), Near(3, 0.6)]).prompt,
        "debugger": debugger.question(7, parent, debugger.Failure(leak)).prompt,
    }


NAMES = [
    "designer",
    "designer_elsewhere",
    "researcher_whole",
    "researcher_edits",
    "researcher_elsewhere",
    "novelty",
    "debugger",
    "judge",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_reads_as_it_was_agreed(brief: Brief, name: str) -> None:
    prompt = prompts(brief)[name]
    assert f"{prompt.system}\n\n---\n\n{prompt.user}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["designer_elsewhere", "novelty"])
def test_what_small_models_are_told_stays_short(brief: Brief, name: str) -> None:
    prompt = prompts(brief)[name]
    assert len(re.findall(r"\w+|[^\w\s]", f"{prompt.system}\n{prompt.user}")) < 1800


@pytest.mark.parametrize("name", ["designer_elsewhere", "researcher_elsewhere"])
def test_another_idea_is_asked_for_as_before_but_elsewhere(brief: Brief, name: str) -> None:
    whole = "designer" if name.startswith("designer") else "researcher_whole"
    usual, other = prompts(brief)[whole], prompts(brief)[name]
    assert other.system == usual.system
    assert "error-correcting codes: store" in other.user
    assert all(line in other.user.splitlines() for line in usual.user.splitlines())
