from collections.abc import Callable

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.errors import UserError
from asi_arch.domain.profile import Split, StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.verify import FIRST_FRESH_SEED, Training, key_of, train_all, verify
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

from .conftest import baseline

MakeBench = Callable[..., Bench]


async def test_candidate_and_baselines_get_the_same_fresh_seeds_and_the_fresh_split(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), FakeLab()
    candidate = baseline("invented")
    names = ["delta_net", "linear_attention"]
    verdict = await verify(make_bench(store, lab), candidate, index=3, baselines=names, seeds=3, tick=lambda *_: None)
    assert {order.key.seed for order in lab.orders} == {FIRST_FRESH_SEED + i for i in range(3)}
    assert {order.key.split for order in lab.orders} == {Split.FRESH}
    assert len(lab.orders) == 3 * 2 * 3
    assert [(c.baseline, c.quantity) for c in verdict.comparisons] == [
        ("delta_net", "language loss"),
        ("delta_net", "recall accuracy"),
        ("linear_attention", "language loss"),
        ("linear_attention", "recall accuracy"),
    ]
    for item in verdict.comparisons:
        mean = sum(item.differences) / len(item.differences)
        assert item.difference.estimate == pytest.approx(mean)
        assert item.difference.low <= item.difference.estimate <= item.difference.high


async def test_what_was_trained_once_is_not_trained_again_and_two_seeds_leave_the_vault_closed(
    make_bench: MakeBench,
) -> None:
    store, lab = FakeStore(), FakeLab()
    bench = make_bench(store, lab)
    first = await verify(bench, baseline("a"), index=1, baselines=["delta_net"], seeds=2, tick=lambda *_: None)
    trained = len(lab.orders)
    second = await verify(bench, baseline("a"), index=1, baselines=["delta_net"], seeds=2, tick=lambda *_: None)
    assert len(lab.orders) == trained
    assert (first.vault_looks, second.vault_looks) == (0, 0)
    assert sum(event.kind is EventKind.VERIFIED for event in store.events()) == 2


async def test_uncontained_trainings_of_a_verification_that_was_cut_off_count_as_well(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), FakeLab()
    lab.containment = "process"
    bench, candidate = make_bench(store, lab), baseline("a")
    await train_all(bench, [Training(candidate, StageName.LANGUAGE, FIRST_FRESH_SEED)], lambda *_: None)
    lab.containment = "bubblewrap"
    verdict = await verify(bench, candidate, index=1, baselines=["delta_net"], seeds=4, tick=lambda *_: None)
    assert verdict.containment == "bubblewrap"
    assert "its code ran under the containment 'process'" in verdict.reason


async def test_one_seed_gives_no_interval(make_bench: MakeBench) -> None:
    with pytest.raises(UserError, match="at least 2 seeds, got 1"):
        await verify(
            make_bench(FakeStore(), FakeLab()), baseline("a"), index=1, baselines=["gla"], seeds=1, tick=lambda *_: None
        )


async def test_weights_of_fresh_seeds_are_kept(make_bench: MakeBench) -> None:
    store = FakeStore()
    bench = make_bench(store, FakeLab())
    await verify(bench, baseline("a"), index=1, baselines=["delta_net"], seeds=2, tick=lambda *_: None)
    for model in (baseline("a"), baseline("delta_net")):
        run = store.run(key_of(bench, Training(model, StageName.RECALL, FIRST_FRESH_SEED)))
        assert run is not None
        assert store.blob(run.weights) == run.key.model_dump_json().encode()
