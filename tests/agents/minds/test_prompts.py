"""Every word that a model is told, as it was agreed: a change of a prompt is a change of these files."""

import asyncio
from pathlib import Path

import pytest

from asi_arch.agents.analyst import NumbersAnalyst
from asi_arch.agents.minds import analyst, checker, debugger, designer, judge, novelty, researcher, reviser, summariser
from asi_arch.agents.minds.disciplines import DISCIPLINES
from asi_arch.agents.minds.prompting import estimated_tokens
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.minds import Prompt
from asi_arch.domain.novelty import Near
from asi_arch.domain.outcome import CheckReport, Finding, Rejected, Severity
from asi_arch.domain.ports import Brief, Evidence
from asi_arch.domain.review import Doubt
from asi_arch.testing.records import make_experiment, make_proposal

GOLDEN = Path(__file__).parent / "golden"


def analyst_prompt() -> Prompt:
    changed = make_proposal("DecayNet", parent=3)
    parent = make_proposal("GatedNet", parent=0, change="Adds a gate per head.")
    sibling = make_proposal("PathNet", parent=3, change="Adds a direct value path.")
    experiment = make_experiment(7, changed, language=(1.610, 1.614))
    reference = make_experiment(0, make_proposal("DeltaNet"))
    relatives = make_experiment(3, parent, language=(1.630, 1.636)), [make_experiment(5, sibling)]
    context = Evidence(reference, *relatives, (), 0.010, grandparent=reference)
    account = asyncio.run(NumbersAnalyst().analyse(experiment, context))
    return analyst.question(experiment, context, account).prompt


def review_prompts(parent: Proposal) -> dict[str, Prompt]:
    rule = parent.model_copy(
        update={"motivation": "A decay lets it forget.", "expectation": "language loss: fall by 0.02"}
    )
    warning = Finding(check="gradient", severity=Severity.WARNING, message="Parameter 'rate' receives no gradient.")
    report = CheckReport(sha="s", findings=(warning,), passed_checks=("future", "batch"))
    doubt = Doubt(
        where="return x", promised="It forgets.", found="The decay never reaches the state.", should_change=True
    )
    passing = doubt.model_copy(update={"should_change": False})
    return {
        "checker": checker.question(7, rule, report).prompt,
        "reviser": reviser.question(7, rule, [doubt, passing]).prompt,
    }


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
        "designer_condensed": designer.question(brief, known._replace(experience=["It faded too fast."])).prompt,
        "analyst": analyst_prompt(),
        "summariser": summariser.question([*known.references, make_experiment(5)], 12).prompt,
        "debugger": debugger.question(7, parent, debugger.Failure(leak)).prompt,
        **review_prompts(parent),
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
    "designer_condensed",
    "analyst",
    "summariser",
    "checker",
    "reviser",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_reads_as_it_was_agreed(brief: Brief, name: str) -> None:
    prompt = prompts(brief)[name]
    assert f"{prompt.system}\n\n---\n\n{prompt.user}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["designer_elsewhere", "novelty", "checker", "reviser"])
def test_what_small_models_are_told_stays_short(brief: Brief, name: str) -> None:
    prompt = prompts(brief)[name]
    assert estimated_tokens(prompt) < 1800


@pytest.mark.parametrize("name", ["designer_elsewhere", "researcher_elsewhere"])
def test_another_idea_is_asked_for_as_before_but_elsewhere(brief: Brief, name: str) -> None:
    whole = "designer" if name.startswith("designer") else "researcher_whole"
    usual, other = prompts(brief)[whole], prompts(brief)[name]
    assert other.system == usual.system
    assert "error-correcting codes: store" in other.user
    assert all(line in other.user.splitlines() for line in usual.user.splitlines())
