import asyncio
from collections.abc import Callable

import pytest

from asi_arch.domain.outcome import Measured, Rejected
from asi_arch.domain.profile import StageName
from asi_arch.lab import preparing
from asi_arch.lab.client import LocalLab

from .conftest import MakeOrder, left_alive, mixer
from .test_client import OPENS_IN_TRAINING

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]
HONEST = mixer("return self.project(x)")


@pytest.fixture
def forks(lab: LocalLab, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many conversations with new children were begun in the test."""
    begun: list[object] = []
    original = preparing.conversation

    def counted(parent, patience_s):
        begun.append(parent)
        return original(parent, patience_s)

    monkeypatch.setattr(preparing, "conversation", counted)
    return lambda: len(begun)


async def test_the_run_that_follows_takes_the_prepared_worker_and_has_the_same_numbers(
    lab: LocalLab, order: MakeOrder, forks: Callable[[], int]
) -> None:
    first, second = order(HONEST), order(HONEST, stage=StageName.RECALL)
    unprepared, _ = await lab.run(second, lambda _: None)
    assert forks() == 1
    run, _ = await lab.run(first._replace(then=second.key), lambda _: None)
    assert isinstance(run.outcome, Measured)
    assert forks() == 3
    assert len(await left_alive(lab)) == 1
    prepared, _ = await lab.run(second, lambda _: None)
    assert forks() == 3
    assert (prepared.losses, prepared.score) == (unprepared.losses, unprepared.score)
    assert await left_alive(lab) == set()


async def test_a_prepared_worker_that_nobody_takes_is_ended(
    lab: LocalLab, order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "KEEP_S", 0.3)
    await lab.run(order(HONEST)._replace(then=order(HONEST, stage=StageName.RECALL).key), lambda _: None)
    await asyncio.sleep(0.4)
    assert await left_alive(lab) == set()


async def test_what_its_checks_reject_after_training_leaves_no_prepared_worker(lab: LocalLab, order: MakeOrder) -> None:
    following = order(OPENS_IN_TRAINING, stage=StageName.RECALL).key
    run, _ = await lab.run(order(OPENS_IN_TRAINING)._replace(then=following), lambda _: None)
    assert isinstance(run.outcome, Rejected)
    assert await left_alive(lab) == set()


async def test_a_prepared_worker_of_a_parent_that_is_gone_is_replaced(
    lab: LocalLab, order: MakeOrder, forks: Callable[[], int]
) -> None:
    second = order(HONEST, stage=StageName.RECALL)
    await lab.run(order(HONEST)._replace(then=second.key), lambda _: None)
    await lab.close()
    run, _ = await lab.run(second, lambda _: None)
    assert isinstance(run.outcome, Measured)
    assert forks() == 3
