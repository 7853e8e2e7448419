"""Every word that a model is told, as it was agreed: a change of a prompt is a change of these files."""

from pathlib import Path

import pytest

from asi_arch.agents.minds import debugger, designer, researcher
from asi_arch.domain.minds import Prompt
from asi_arch.domain.outcome import Rejected
from asi_arch.domain.ports import Brief

GOLDEN = Path(__file__).parent / "golden"


def prompts(brief: Brief) -> dict[str, Prompt]:
    parent, known = brief.parent, brief.known()
    assert parent is not None
    leak = Rejected(check="future", reason="Position 3 depends on position 7")
    return {
        "designer": designer.question(brief, known).prompt,
        "researcher_whole": researcher.question_for_program(brief, known).prompt,
        "researcher_edits": researcher.question_for_edits(brief, known, parent).prompt,
        "debugger": debugger.question(7, parent, debugger.Failure(leak)).prompt,
    }


@pytest.mark.parametrize("name", ["designer", "researcher_whole", "researcher_edits", "debugger"])
def test_a_prompt_reads_as_it_was_agreed(brief: Brief, name: str) -> None:
    prompt = prompts(brief)[name]
    assert f"{prompt.system}\n\n---\n\n{prompt.user}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
