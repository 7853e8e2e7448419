from collections.abc import Callable

import pytest

from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.profile import Split, StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.calibrate import calibrate, enough, estimate, plan
from asi_arch.engine.claim import latest_calibration
from asi_arch.engine.verify import verify
from asi_arch.testing.fake_calibrations import FakeCalibrations
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

from .conftest import baseline

MakeBench = Callable[..., Bench]


async def test_one_program_is_trained_with_other_seeds_on_every_side(make_bench: MakeBench) -> None:
    store, lab = FakeStore(), FakeLab()
    bench = make_bench(store, lab)
    found = await calibrate(bench, trials=3, seeds=5, tick=lambda *_: None)
    assert {order.key.sha for order in lab.orders} == {baseline("delta_net").sha}
    assert {order.key.split for order in lab.orders} == {Split.FRESH}
    assert len({(order.key.stage, order.key.seed) for order in lab.orders}) == len(lab.orders) == 3 * 2 * 5 * 2
    assert (found.trials, found.seeds, len(found.comparisons)) == (3, 5, 3)
    language, recall = found.noise
    assert (language.quantity, language.degrees) == ("language loss", 29)
    assert 0.003 < language.std < 0.007
    assert recall.std == pytest.approx(0, abs=1e-9)
    assert latest_calibration(store, bench.campaign.protocol) == found
    assert latest_calibration(store, "another") is None


async def test_the_rate_comes_with_its_exact_interval(make_bench: MakeBench) -> None:
    found = await calibrate(make_bench(FakeStore(), FakeLab()), trials=20, seeds=4, tick=lambda *_: None)
    assert found.rate.estimate == found.promoted / 20 <= 0.1
    assert found.rate.low <= 0.05 <= found.rate.high


async def test_nothing_is_trained_twice_and_verify_shares_the_baselines_trainings(make_bench: MakeBench) -> None:
    lab = FakeLab()
    bench = make_bench(FakeStore(), lab)
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    trained = len(lab.orders)
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    assert len(lab.orders) == trained
    await verify(bench, baseline("idea"), index=1, baselines=["delta_net"], seeds=4, tick=lambda *_: None)
    assert {order.key.sha for order in lab.orders[trained:]} == {baseline("idea").sha}
    await calibrate(bench, trials=2, seeds=6, tick=lambda *_: None)
    assert len(lab.orders) == trained + 8 + 2 * 2 * 6 * 2 - 16


async def test_the_cost_is_told_from_what_the_same_trainings_took(make_bench: MakeBench) -> None:
    lab = FakeLab()
    bench = make_bench(FakeStore(), lab)
    trainings = plan(bench, trials=1, seeds=4)
    assert estimate(bench, trainings) == (16, 16, None)
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    assert estimate(bench, plan(bench, trials=2, seeds=4)) == (32, 16, pytest.approx(16.0))
    assert estimate(bench, trainings) == (16, 0, 0)


async def test_the_searchs_own_trainings_tell_the_cost_as_well(make_bench: MakeBench) -> None:
    bench = make_bench(FakeStore(), FakeLab())
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    fresh = make_bench(FakeStore(), FakeLab())
    for stage in StageName:
        key = RunKey(sha=baseline("delta_net").sha, protocol=bench.campaign.protocol, stage=stage, seed=1000)
        run = bench.store.run(key.model_copy(update={"split": Split.FRESH}))
        assert run is not None
        fresh.store.save_run(run.model_copy(update={"key": key.model_copy(update={"seed": 0}), "cpu_s": 3.0}))
    assert estimate(fresh, plan(fresh, trials=1, seeds=4)).cpu_s == pytest.approx(48.0)


@pytest.mark.parametrize(
    ("trials", "seeds", "message"),
    [(0, 8, "--trials must be at least 1, got 0"), (3, 3, "--seeds must be 4 to 100, got 3"), (1, 101, "got 101")],
)
async def test_too_few_to_tell_anything_are_refused(
    make_bench: MakeBench, trials: int, seeds: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        await calibrate(make_bench(FakeStore(), FakeLab()), trials=trials, seeds=seeds, tick=lambda *_: None)


async def test_what_one_campaign_measured_is_known_to_another(make_bench: MakeBench) -> None:
    kept = FakeCalibrations()
    first = make_bench(FakeStore(), FakeLab())._replace(calibrations=kept)
    assert enough(first, trials=1, seeds=4) is None
    found = await calibrate(first, trials=2, seeds=5, tick=lambda *_: None)
    assert found.machine == kept.machine
    assert enough(first, trials=2, seeds=5) == (found, False)
    other = make_bench(FakeStore(), FakeLab())._replace(calibrations=kept)
    assert enough(other, trials=2, seeds=5) == (found, True)
    assert enough(other, trials=3, seeds=5) is None
    assert enough(other, trials=2, seeds=6) is None
