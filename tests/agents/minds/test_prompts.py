"""Every word that a model is told, as it was agreed: a change of a prompt is a change of these files."""

from pathlib import Path

import pytest

from asi_arch.agents.minds import debugger, designer, judge, researcher
from asi_arch.domain.minds import Prompt
from asi_arch.domain.outcome import Rejected
from asi_arch.domain.ports import Brief, Evidence

GOLDEN = Path(__file__).parent / "golden"


def prompts(brief: Brief) -> dict[str, Prompt]:
    parent, known = brief.parent, brief.known()
    assert parent is not None
    leak = Rejected(check="future", reason="Position 3 depends on position 7")
    evidence = Evidence(None, None, (), brief.references, None, 7)
    return {
        "judge": judge.question(parent.model_copy(update={"motivation": "It replaces."}), evidence, 2, 3).prompt,
        "designer": designer.question(brief, known).prompt,
        "researcher_whole": researcher.question_for_program(brief, known).prompt,
        "researcher_edits": researcher.question_for_edits(brief, known, parent).prompt,
        "debugger": debugger.question(7, parent, debugger.Failure(leak)).prompt,
    }


@pytest.mark.parametrize("name", ["designer", "researcher_whole", "researcher_edits", "debugger", "judge"])
def test_a_prompt_reads_as_it_was_agreed(brief: Brief, name: str) -> None:
    prompt = prompts(brief)[name]
    assert f"{prompt.system}\n\n---\n\n{prompt.user}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
