import asyncio

import pytest

from asi_arch.domain.outcome import Diverged, Measured, Outcome, Run, RunKey, StoppedEarly
from asi_arch.domain.ports import Ruling
from asi_arch.domain.profile import StageName
from asi_arch.engine.agreement import Agreement

LANGUAGE = StageName.LANGUAGE
STOP = StoppedEarly(stage=LANGUAGE, step=20, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.1)


def _agreement(*, is_audited: bool = False) -> Agreement:
    return Agreement((0, 1), is_audited=is_audited)


def _run(outcome: Outcome, steps: int, would_stop: StoppedEarly | None = None) -> Run:
    key = RunKey(sha="c", protocol="p", stage=LANGUAGE, seed=1)
    return Run(key=key, outcome=outcome, losses=(), steps=steps, tokens=0, would_stop=would_stop)


@pytest.mark.parametrize("is_first_slower", [True, False])
@pytest.mark.parametrize(("is_audited", "ruling"), [(False, Ruling.STOP), (True, Ruling.LET_THROUGH)])
async def test_what_both_ask_for_happens_whoever_is_slower(
    is_first_slower: bool, is_audited: bool, ruling: Ruling
) -> None:
    agreement = _agreement(is_audited=is_audited)
    seeds = (1, 0) if is_first_slower else (0, 1)
    early = asyncio.create_task(agreement.ballot(seeds[0])(20, STOP))
    await asyncio.sleep(0)
    assert not early.done()
    assert await agreement.ballot(seeds[1])(20, STOP) is ruling
    assert await early is ruling


async def test_one_that_is_content_does_not_wait_and_lets_the_other_go_on() -> None:
    agreement = _agreement()
    doubting = asyncio.create_task(agreement.ballot(0)(20, STOP))
    await asyncio.sleep(0)
    assert await agreement.ballot(1)(20, None) is Ruling.GO_ON
    assert await doubting is Ruling.GO_ON


async def test_rungs_are_decided_one_by_one() -> None:
    agreement = _agreement()
    assert await agreement.ballot(1)(20, None) is Ruling.GO_ON
    assert await agreement.ballot(0)(20, STOP) is Ruling.GO_ON
    later = asyncio.create_task(agreement.ballot(0)(40, STOP))
    await asyncio.sleep(0)
    assert not later.done()
    assert await agreement.ballot(1)(40, STOP) is Ruling.STOP
    assert await later is Ruling.STOP


@pytest.mark.parametrize(
    ("ended", "ruling"),
    [
        (_run(Diverged(stage=LANGUAGE, step=7), 7), Ruling.STOP),
        (_run(Diverged(stage=LANGUAGE, step=20), 20), Ruling.STOP),
        (_run(Diverged(stage=LANGUAGE, step=21), 21), Ruling.GO_ON),
        (_run(STOP, 20), Ruling.STOP),
        (_run(STOP.model_copy(update={"step": 40}), 40), Ruling.GO_ON),
        (_run(Measured(), 100), Ruling.GO_ON),
        (None, Ruling.STOP),
    ],
)
async def test_a_seed_whose_run_is_over_votes_as_it_did_or_would_have(ended: Run | None, ruling: Ruling) -> None:
    agreement = _agreement()
    await agreement.end(1, ended)
    assert await agreement.ballot(0)(20, STOP) is ruling


async def test_an_audit_that_was_cut_off_goes_on_as_an_audit() -> None:
    agreement = _agreement(is_audited=True)
    await agreement.end(1, _run(Measured(), 100, would_stop=STOP))
    assert await agreement.ballot(0)(20, STOP) is Ruling.LET_THROUGH


async def test_an_end_frees_who_waits() -> None:
    agreement = _agreement()
    waiting = asyncio.create_task(agreement.ballot(0)(20, STOP))
    await asyncio.sleep(0)
    await agreement.end(1, _run(Diverged(stage=LANGUAGE, step=3), 3))
    assert await waiting is Ruling.STOP
