"""Several minds for one role, over scripted backends."""

from collections.abc import Sequence

import pytest

from asi_arch.domain.minds import BadAnswer, MindRejected, MindUnavailable, OverBudget, Role
from asi_arch.llm.backend import Permanent, Transient, Unanswered
from asi_arch.llm.ensemble import SHORT_S, TakingTurns, at_the_end, in_turn
from asi_arch.llm.plan import Budgets, Limits
from asi_arch.llm.prices import free
from asi_arch.llm.scripted import ScriptedBackend
from asi_arch.testing.mind_contract import Mark, make_question

GOOD = '{"score": 7}'
DOWN = Transient("503")


def saying(text: str = GOOD) -> ScriptedBackend:
    return ScriptedBackend(lambda _: text)


def failing(error: Transient | Permanent | Unanswered) -> ScriptedBackend:
    return ScriptedBackend(lambda _: error)


class Fixed(TakingTurns):
    """Always the same order, and a list of who was passed over."""

    def __init__(self, order: Sequence[str]) -> None:
        super().__init__()
        self._order = list(order)
        self.passed: list[tuple[str, str, str]] = []

    def order(self, role: Role, subject: str, names: Sequence[str]) -> Sequence[str]:
        return self._order

    def note_passed(self, role: Role, subject: str, names: Sequence[str], passed: str, reason: str) -> None:
        self._order = at_the_end(self._order, [passed])
        self.passed.append((subject, passed, reason))


def test_members_take_turns_over_the_experiments() -> None:
    names = ["a", "b", "c"]
    assert [in_turn(str(n), names)[0] for n in range(5)] == ["a", "b", "c", "a", "b"]
    assert in_turn("1", names) == ["b", "c", "a"]
    assert in_turn("", names) == names
    assert in_turn("agenda-40", names) == in_turn("agenda-40", names)


def test_who_was_passed_over_comes_last_and_the_latest_at_the_very_end() -> None:
    assert at_the_end(["a", "b", "c"], []) == ["a", "b", "c"]
    assert at_the_end(["a", "b", "c"], ["a"]) == ["b", "c", "a"]
    assert at_the_end(["a", "b", "c"], ["b", "a", "x"]) == ["c", "b", "a"]
    assert at_the_end(["a", "b", "c"], ["a", "b", "a"]) == ["c", "b", "a"]


async def test_every_question_about_a_subject_goes_to_the_same_member(desk) -> None:
    first, second = saying("no"), saying()
    minds = desk.minds(first, second)
    with pytest.raises(BadAnswer, match="in 3 tries"):
        await minds.ask(make_question(subject="2"))
    for role in (Role.JUDGE, Role.DEBUGGER):
        assert await minds.ask(make_question(subject="3", role=role)) == Mark(score=7)
    assert ([r.subject for r in first.requests], [r.subject for r in second.requests]) == (["2"] * 3, ["3"] * 2)
    assert [e.sent.mind for e in desk.recorded()] == ["fake:model"] * 3 + ["fake:model1"] * 2


@pytest.mark.parametrize("error", [DOWN, Permanent("wrong key"), Unanswered("nobody came")])
async def test_a_member_that_can_not_be_had_is_passed_over_and_that_is_told_and_noted(desk, error) -> None:
    told: list[str] = []
    first, second, fixed = failing(error), saying(), Fixed(["fake:model", "fake:model1"])
    began = desk.time.now
    minds = desk.minds(first, second, choosing=fixed, tell=told.append)
    assert await minds.ask(make_question(subject="5")) == Mark(score=7)
    assert desk.time.now - began <= SHORT_S
    assert [(subject, name) for subject, name, _ in fixed.passed] == [("5", "fake:model")]
    assert str(error) in fixed.passed[0][2]
    assert sum("fake:model1 is asked instead" in text for text in told) == 1
    assert desk.endings()[-1] == "answered"


async def test_after_one_was_passed_over_the_rest_about_the_subject_goes_to_the_other(desk) -> None:
    first, second = failing(Permanent("wrong key")), ScriptedBackend(["no", GOOD, GOOD])
    minds = desk.minds(first, second)
    assert await minds.ask(make_question(subject="0")) == Mark(score=7)
    assert await minds.ask(make_question("More.", subject="0")) == Mark(score=7)
    assert (len(first.requests), len(second.requests)) == (1, 3)
    assert await desk.minds(saying(), second).ask(make_question(subject="4")) == Mark(score=7)


async def test_a_busy_member_keeps_its_question(desk) -> None:
    first, second = ScriptedBackend([Transient("429", retry_after_s=5.0), GOOD]), saying()
    await desk.minds(first, second).ask(make_question(subject="0"))
    assert (len(first.requests), len(second.requests)) == (2, 0)


async def test_where_all_are_down_the_best_is_waited_for_with_the_whole_patience(desk) -> None:
    back_at = desk.time.now + 1500
    first = ScriptedBackend(lambda _: GOOD if desk.time.now >= back_at else DOWN)
    minds = desk.minds(first, failing(DOWN), failing(Permanent("wrong key")))
    assert await minds.ask(make_question(subject="0")) == Mark(score=7)
    assert back_at <= desk.time.now < back_at + 120


async def test_where_nobody_comes_back_the_failure_is_typed_and_in_time(desk) -> None:
    began = desk.time.now
    minds = desk.minds(failing(DOWN), failing(DOWN), patience_s=300.0)
    with pytest.raises(MindUnavailable, match="fake:model: 503"):
        await minds.ask(make_question(subject="0"))
    assert desk.time.now - began <= 300.0 + 2 * SHORT_S
    began = desk.time.now
    with pytest.raises(MindRejected, match="no such model"):
        await desk.minds(failing(Permanent("key")), failing(Permanent("no such model"))).ask(make_question(subject="0"))
    assert desk.time.now == began


async def test_a_free_member_goes_on_where_the_budget_has_no_room_for_a_dear_one(desk) -> None:
    told: list[str] = []
    dear, free_one = saying(), saying()
    budgets = Budgets(campaign=Limits(usd=0.0001))
    minds = desk.minds(dear, free_one, budgets=budgets, others_tariff=free, tell=told.append)
    assert await minds.ask(make_question(subject="0")) == Mark(score=7)
    assert (dear.requests, len(free_one.requests)) == ([], 1)
    assert any("fake:model: the campaign's budget" in text and "is asked instead" in text for text in told)
    with pytest.raises(OverBudget):
        await desk.minds(dear, dear, budgets=budgets).ask(make_question("Another.", subject="0"))


async def test_an_answer_on_record_is_not_asked_of_another_member_after_a_restart(desk) -> None:
    names = ["fake:model", "fake:model1"]
    first = desk.minds(ScriptedBackend(["no", GOOD]), failing(DOWN), choosing=Fixed(names))
    assert (await first.ask(make_question(subject="17"))).score == 7
    other, fallen = saying('{"score": 1}'), failing(DOWN)
    again = desk.minds(fallen, other, choosing=Fixed(list(reversed(names))))
    assert (await again.ask(make_question(subject="17"))).score == 7
    assert (fallen.requests, other.requests) == ([], [])
    assert len(desk.recorded()) == 2
