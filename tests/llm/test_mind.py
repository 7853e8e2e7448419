import asyncio
import time

import pytest

from asi_arch.domain.errors import StoreError
from asi_arch.domain.exchanges import Charge, Ending, Reply, Sent, Settlement
from asi_arch.domain.minds import BadAnswer, MindRefused, MindRejected, MindUnavailable, OverBudget, Question
from asi_arch.llm.backend import Permanent, Transient
from asi_arch.llm.plan import Budgets, Limits
from asi_arch.llm.scripted import ScriptedBackend
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.mind_contract import Mark, make_question, make_request

GOOD = '{"score": 7}'


@pytest.mark.parametrize(
    "text",
    [GOOD, f"Here it is:\n```json\n{GOOD}\n```\nBye.", '{"score": 7,}', "{'score': 7}", '{"score": 7 // fine\n}'],
)
async def test_what_can_be_read_is_read(desk, text: str) -> None:
    pytest.importorskip("json_repair")
    backend = ScriptedBackend([text])
    assert await desk.minds(backend).ask(make_question()) == Mark(score=7)
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "no",
        "[" * 100_000,
        '{"score": 70}',
        '{"points": 7}',
        '{"score": 7',
        '{"note": {"a": 1}, "score": 7, "code": "def f(',
        Reply(text=GOOD, ending=Ending.TRUNCATED),
        Reply(text="<html>", ending=Ending.GARBLED),
    ],
)
async def test_what_is_wrong_is_told_and_asked_again_twice(desk, bad: str | Reply) -> None:
    backend = ScriptedBackend([bad, bad, GOOD])
    assert await desk.minds(backend).ask(make_question()) == Mark(score=7)
    assert [len(request.turns) for request in backend.requests] == [0, 1, 2]
    assert all(turn.complaint for turn in backend.requests[2].turns)
    with pytest.raises(BadAnswer, match="in 3 tries"):
        await desk.minds(ScriptedBackend([bad] * 3)).ask(make_question())


async def test_of_a_reply_that_was_cut_off_only_the_beginning_is_shown_again(desk) -> None:
    endless = "2, 3, 5, 7, " * 1_000
    backend = ScriptedBackend([Reply(text=endless, ending=Ending.TRUNCATED), endless, GOOD])
    assert await desk.minds(backend).ask(make_question()) == Mark(score=7)
    shown = [turn.reply for turn in backend.requests[2].turns]
    assert shown == [endless[:1_000], endless]


async def test_a_complaint_of_the_asker_reaches_the_author(desk) -> None:
    base = make_question()
    question = Question(
        role=base.role,
        prompt=base.prompt,
        answer=Mark,
        complaint=lambda mark: "7 is taken" if mark.score == 7 else None,
    )
    backend = ScriptedBackend([GOOD, '{"score": 8}'])
    assert await desk.minds(backend).ask(question) == Mark(score=8)
    assert backend.requests[1].turns[0].complaint == "7 is taken"


async def test_a_refusal_is_not_asked_again(desk) -> None:
    backend = ScriptedBackend([Reply(text="I won't", ending=Ending.REFUSED)])
    with pytest.raises(MindRefused, match="I won't"):
        await desk.minds(backend).ask(make_question())
    assert len(backend.requests) == 1


async def test_a_wrong_key_is_not_tried_again_and_costs_nothing(desk) -> None:
    with pytest.raises(MindRejected, match="wrong key"):
        await desk.minds(ScriptedBackend([Permanent("wrong key")])).ask(make_question())
    assert (desk.endings(), desk.time.naps) == (["failed"], [])
    assert desk.recorded()[0].settlement.spent == Charge(0, 0, 0.0)


async def test_retry_after_is_honoured_and_each_attempt_recorded(desk) -> None:
    backend = ScriptedBackend([Transient("429", retry_after_s=30.0), GOOD])
    await desk.minds(backend).ask(make_question())
    assert desk.endings() == ["failed", "answered"]
    assert 30.0 <= sum(desk.time.naps) <= 33.0


async def test_a_service_that_is_down_for_half_an_hour_is_outlasted_without_a_storm(desk) -> None:
    back_at = desk.time.now + 1800
    backend = ScriptedBackend(lambda _: GOOD if desk.time.now >= back_at else Transient("503"))
    minds = desk.minds(backend)
    asked = [minds.ask(make_question(f"number {n}", subject=str(n))) for n in range(4)]
    assert await asyncio.gather(*asked) == [Mark(score=7)] * 4
    assert len(backend.requests) < 70


async def test_patience_ends_with_a_typed_failure(desk) -> None:
    backend = ScriptedBackend(lambda _: Transient("503"))
    minds = desk.minds(backend, patience_s=100.0)
    began = desk.time.now
    results = await asyncio.gather(*(minds.ask(make_question(str(n))) for n in range(8)), return_exceptions=True)
    assert all(isinstance(result, MindUnavailable) for result in results)
    assert desk.time.now - began <= 100.0
    assert len(backend.requests) < 20


async def test_a_cut_connection_is_counted_once_at_what_was_reserved(desk) -> None:
    backend = ScriptedBackend([Transient("cut", is_charged=True), GOOD])
    await desk.minds(backend).ask(make_question())
    lost, answered = desk.recorded()
    assert desk.endings() == ["lost", "answered"]
    assert lost.settlement.spent == lost.sent.reserved
    assert desk.opened[0].spent().calls == 2
    assert desk.opened[0].spent().tokens == lost.sent.reserved.tokens + answered.settlement.spent.tokens


async def test_a_cancelled_call_is_settled_as_lost(desk) -> None:
    class Slow:
        async def complete(self, request):
            await asyncio.sleep(60)

        async def close(self): ...

    task = asyncio.ensure_future(desk.minds(Slow()).ask(make_question()))
    await asyncio.sleep(0.05)
    assert desk.endings() == ["open"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.endings() == ["lost"]


async def test_a_killed_process_leaves_an_open_exchange_that_stays_counted(desk) -> None:
    request = make_request(subject="3")
    dead = SqliteExchanges.open(desk.folder)
    dead.send(Sent(request=request, mind="fake:model", at=1.0, reserved=Charge(1, 500, 0.5)))
    assert dead.spent() == Charge(1, 500, 0.5)
    dead.close()
    desk.minds(ScriptedBackend([]))
    assert desk.endings() == ["lost"]
    assert desk.opened[0].spent() == Charge(1, 500, 0.5)


async def test_answers_about_a_subject_are_recalled_after_a_restart(desk) -> None:
    first = desk.minds(ScriptedBackend(["no", GOOD, '{"score": 1}']))
    assert (await first.ask(make_question(subject="17"))).score == 7
    assert (await first.ask(make_question(subject="17"))).score == 1
    later = ScriptedBackend(['{"score": 2}'])
    again = desk.minds(later)
    scores = [(await again.ask(make_question(subject="17"))).score for _ in range(3)]
    assert scores == [7, 1, 2]
    assert len(later.requests) == 1
    assert desk.endings() == ["answered"] * 4


async def test_questions_about_nothing_in_particular_are_always_new(desk) -> None:
    await desk.minds(ScriptedBackend([GOOD])).ask(make_question())
    later = ScriptedBackend(['{"score": 2}'])
    assert (await desk.minds(later).ask(make_question())).score == 2
    assert later.requests[0].occurrence == 1


@pytest.mark.parametrize("scope", ["call", "subject", "day", "campaign"])
@pytest.mark.parametrize("limit", [{"usd": 0.0}, {"tokens": 0}, {"calls": 0}])
async def test_a_budget_of_nothing_stops_before_the_call(desk, scope: str, limit: dict[str, float]) -> None:
    backend = ScriptedBackend([GOOD])
    budgets = Budgets.model_validate({scope: limit})
    with pytest.raises(OverBudget, match=rf"{scope}.*budget.*minds\.budgets"):
        await desk.minds(backend, budgets=budgets).ask(make_question(subject="5"))
    assert (backend.requests, desk.recorded()) == ([], [])


async def test_a_budget_holds_across_restarts_and_for_its_subject_only(desk) -> None:
    budgets = Budgets(subject=Limits(calls=1))
    await desk.minds(ScriptedBackend([GOOD]), budgets=budgets).ask(make_question("a", subject="1"))
    minds = desk.minds(ScriptedBackend([GOOD]), budgets=budgets)
    with pytest.raises(OverBudget, match="subject '1'"):
        await minds.ask(make_question("b", subject="1"))
    await minds.ask(make_question("b", subject="2"))


async def test_calls_at_the_same_time_cant_exceed_a_budget_together(desk) -> None:
    class Waits(ScriptedBackend):
        async def complete(self, request):
            await asyncio.sleep(0.01)
            return await super().complete(request)

    minds = desk.minds(Waits(lambda _: GOOD), budgets=Budgets(campaign=Limits(calls=2)))
    asked = (minds.ask(make_question(f"{n}")) for n in range(5))
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(result, OverBudget) for result in results) == 3


async def test_yesterdays_calls_dont_count_today(desk) -> None:
    minds = desk.minds(ScriptedBackend(lambda _: GOOD), budgets=Budgets(day=Limits(calls=1)))
    await minds.ask(make_question("a"))
    with pytest.raises(OverBudget, match="day"):
        await minds.ask(make_question("b"))
    desk.time.now += 86400
    await minds.ask(make_question("b"))


async def test_an_unknown_price_is_refused_under_a_budget_in_money_only(desk) -> None:
    minds = desk.minds(ScriptedBackend([GOOD]), budgets=Budgets(day=Limits(usd=5)), tariff=lambda _i, _o: None)
    with pytest.raises(OverBudget, match="price of this model is not known"):
        await minds.ask(make_question())
    await desk.minds(ScriptedBackend([GOOD]), tariff=lambda _i, _o: None).ask(make_question())


async def test_half_and_four_fifths_of_a_budget_are_announced_once(desk) -> None:
    minds = desk.minds(ScriptedBackend(lambda _: GOOD), budgets=Budgets(campaign=Limits(calls=10)))
    for n in range(10):
        await minds.ask(make_question(str(n)))
    assert [warning[:3] for warning in desk.warnings] == ["50%", "80%"]


async def test_a_settled_exchange_never_changes(desk) -> None:
    await desk.minds(ScriptedBackend([GOOD])).ask(make_question())
    other = Settlement(reply=Reply(text="x"), at=1.0, latency_s=0.0, spent=Charge(1, 1, 1.0))
    with pytest.raises(StoreError, match="already settled"):
        desk.opened[0].settle(1, other)
    with pytest.raises(StoreError, match="permanent"), desk.opened[0].exclusively():
        desk.opened[0]._connection.execute("DELETE FROM exchange")


async def test_our_own_time_per_call_is_small(desk) -> None:
    minds = desk.minds(ScriptedBackend(lambda _: GOOD), budgets=Budgets(campaign=Limits(usd=1e9), day=Limits(usd=1e9)))
    took: list[float] = []
    for n in range(40):
        began = time.process_time()
        await minds.ask(make_question(str(n), subject=str(n)))
        took.append(time.process_time() - began)
    assert sorted(took)[20] <= 0.030
