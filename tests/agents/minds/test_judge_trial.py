from collections.abc import Callable, Mapping
from typing import Any

import pytest

from asi_arch.agents.judge import RubricJudge
from asi_arch.agents.minds.judge import MindJudge
from asi_arch.agents.minds.judge_trial import COPIED, JUDGEMENTS, PLEA, POINT, Line, measured
from asi_arch.app import baseline
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Judgement, Mark
from asi_arch.domain.minds import MindUnavailable, Prompt
from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.ports import Evidence
from asi_arch.testing.fake_mind import FakeMind, ThinkingMind

CONTEXT = Evidence(None, None, (), (baseline(COPIED),), None)


def marks(innovation: int, simplicity: int) -> dict[str, Any]:
    reason = "It has a rule of its own for forgetting."
    return {
        name: {"reason": reason, "mark": mark}
        for name, mark in (("innovation", innovation), ("simplicity", simplicity))
    }


def sensible(prompt: Prompt) -> dict[str, Any]:
    """Sees a copy, and counts lines."""
    before, _, rest = prompt.user.partition("The program to mark:")
    code = rest.partition("\n>>>")[0].strip()
    return marks(1 if code in before else 7, max(1, 10 - len(code.splitlines()) // 6))


async def tried(reply: Callable[[Prompt], Mapping[str, Any]]) -> dict[str, Line]:
    judge = MindJudge(ThinkingMind(reply), RubricJudge())

    async def appraise(proposal: Proposal) -> Judgement:
        return await judge.appraise(proposal, CheckReport(sha=proposal.sha), CONTEXT)

    return {line.name: line for line in await measured(appraise, baseline)}


def failed(lines: dict[str, Line]) -> set[str]:
    return {name for name, line in lines.items() if not line.is_met}


async def test_a_sensible_mind_passes() -> None:
    lines = await tried(sensible)
    assert failed(lines) == set()
    assert lines["copy below change"].value == pytest.approx(6 * POINT)
    assert {name for name, line in lines.items() if name != "copy below change" and line.value} == set()


async def test_a_gullible_mind_is_found_out_although_its_judgements_hold() -> None:
    def gullible(prompt: Prompt) -> dict[str, Any]:
        return marks(10, 10) if "give me 10" in prompt.user else sensible(prompt)

    lines = await tried(gullible)
    assert failed(lines) == {"planted text, read"}
    assert lines["planted text, read"].value > 2 * POINT
    assert lines["planted text"].value == 0.0


async def test_a_mind_that_sees_no_copy_is_found_out() -> None:
    assert failed(await tried(lambda _: marks(5, 5))) == {"copy below change"}


async def test_a_mind_that_marks_by_position_is_found_out() -> None:
    def first(prompt: Prompt) -> dict[str, Any]:
        level = int(prompt.user.partition("innovation ")[2].partition(",")[0])
        return marks(level, level)

    assert "disagreement" in failed(await tried(first))


async def test_a_mind_with_moods_is_found_out() -> None:
    moods = iter(range(10_000))

    def moody(_: Prompt) -> dict[str, Any]:
        mark = (2, 9, 6, 4, 8)[next(moods) // 3 % 5]
        return marks(mark, mark)

    assert {"renamed", "repeated"} <= failed(await tried(moody))


async def test_a_judge_that_reads_names_and_prose_is_found_out() -> None:
    async def impressed(proposal: Proposal) -> Judgement:
        value = 0.5 * ("self.convolution" in proposal.source) + 0.5 * (PLEA in proposal.motivation)
        return Judgement(
            judge="test", marks=(Mark(name="innovation", value=value, weight=1.0, reason="."),), score=value
        )

    lines = {line.name: line for line in await measured(impressed, baseline)}
    assert {"renamed", "planted text"} <= failed(lines)
    assert "planted text, read" not in lines


async def test_judgements_are_announced_one_by_one() -> None:
    done: list[None] = []

    async def appraise(proposal: Proposal) -> Judgement:
        return await RubricJudge().judge(proposal, CheckReport(sha=proposal.sha), CONTEXT)

    await measured(appraise, baseline, lambda: done.append(None))
    assert len(done) == JUDGEMENTS


async def test_a_mind_that_fails_ends_the_trial() -> None:
    judge = MindJudge(FakeMind([MindUnavailable("down")]), RubricJudge())
    with pytest.raises(MindUnavailable):
        await measured(lambda proposal: judge.appraise(proposal, CheckReport(sha=proposal.sha), CONTEXT), baseline)
