import json
from collections.abc import Callable
from statistics import fmean, stdev

import pytest

from asi_arch.domain.calibration import Calibration
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import Progress
from asi_arch.domain.profile import Split, StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.calibrate import calibrate, enough, estimate, plan
from asi_arch.engine.claim import latest_calibration
from asi_arch.engine.verify import Training, verify
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
    assert estimate(bench, trainings) == (16, 16, None, 16)
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    assert estimate(bench, plan(bench, trials=2, seeds=4)) == (32, 16, pytest.approx(16.0), 0)
    assert estimate(bench, trainings) == (16, 0, 0, 0)


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


async def test_other_baselines_are_measured_with_the_seeds_of_one_side(make_bench: MakeBench) -> None:
    lab = FakeLab()
    bench = make_bench(FakeStore(), lab)
    found = await calibrate(bench, trials=2, seeds=5, tick=lambda *_: None, against=["gla", "retnet"])
    assert len(lab.orders) == 2 * 2 * 5 * 2 + 2 * 5 * 2
    assert [item.sha for item in found.baselines] == [baseline(n).sha for n in ("delta_net", "gla", "retnet")]
    assert {item.seeds for item in found.baselines} == {(1000, 1001, 1002, 1003, 1004)}
    language, recall = found.baselines[1].spreads
    values = found.baselines[1].values["language loss"]
    assert (language.baseline, language.quantity, language.seeds) == ("gla", "language loss", 5)
    assert (language.mean, language.std) == pytest.approx((fmean(values), stdev(values)))
    assert recall.quantity == "recall accuracy"
    assert found.noise[0].degrees == 19, "the others' trainings are not the reference's noise"
    assert latest_calibration(bench.store, bench.campaign.protocol) == found


async def test_without_other_baselines_it_costs_what_it_did(make_bench: MakeBench) -> None:
    lab = FakeLab()
    found = await calibrate(make_bench(FakeStore(), lab), trials=1, seeds=4, tick=lambda *_: None)
    assert len(lab.orders) == 16
    assert [item.sha for item in found.baselines] == [baseline("delta_net").sha]


async def test_baselines_are_added_to_what_is_known_and_nothing_else_is_trained(make_bench: MakeBench) -> None:
    lab, kept = FakeLab(), FakeCalibrations()
    first = make_bench(FakeStore(), FakeLab())._replace(calibrations=kept)
    await calibrate(first, trials=2, seeds=5, tick=lambda *_: None)
    bench = make_bench(FakeStore(), lab)._replace(calibrations=kept)
    known = enough(bench, trials=2, seeds=5)
    assert known is not None
    assert plan(bench, trials=2, seeds=5, known=known.calibration) == []
    found = await calibrate(bench, trials=2, seeds=5, tick=lambda *_: None, against=["gla"], known=known)
    assert {order.key.sha for order in lab.orders} == {baseline("gla").sha}
    assert found.joined(known.calibration.baselines) == found
    assert found.comparisons == known.calibration.comparisons
    assert enough(bench, trials=2, seeds=5) == (found, True), "the pairs were another campaign's, and still are"
    assert plan(bench, trials=2, seeds=5, against=["gla"], known=found) == []
    more = plan(bench, trials=2, seeds=5, against=["gla", "retnet"], known=found)
    assert {item.proposal.name for item in more} == {"retnet"}


async def test_a_new_calibration_keeps_the_baselines_that_were_measured_before(make_bench: MakeBench) -> None:
    bench = make_bench(FakeStore(), FakeLab())
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None, against=["gla"])
    found = await calibrate(bench, trials=1, seeds=6, tick=lambda *_: None)
    assert [(item.sha, len(item.seeds)) for item in found.baselines] == [
        (baseline("delta_net").sha, 6),
        (baseline("gla").sha, 4),
    ]
    assert len(found.differences(baseline("gla").sha, baseline("delta_net").sha, "language loss")) == 4
    assert found.differences(baseline("retnet").sha, baseline("delta_net").sha, "language loss") == ()


async def test_a_calibration_that_was_cut_off_goes_on_where_it_was(make_bench: MakeBench) -> None:
    lab, store = FakeLab(), FakeStore()
    bench = make_bench(store, lab)

    def stop(training: Training, progress: Progress) -> None:
        if (training.proposal.name, training.seed) == ("gla", 1002) and progress.step == progress.steps:
            raise UserError("cut off")

    with pytest.raises(UserError, match="cut off"):
        await calibrate(bench, trials=1, seeds=4, tick=stop, against=["gla"])
    before = len(lab.orders)
    missing = estimate(bench, plan(bench, trials=1, seeds=4, against=["gla"])).missing
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None, against=["gla"])
    assert 0 < missing < 24
    assert len(lab.orders) - before == missing


async def test_what_was_never_trained_is_counted_like_the_reference_and_said(make_bench: MakeBench) -> None:
    bench = make_bench(FakeStore(), FakeLab())
    await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    cost = estimate(bench, plan(bench, trials=1, seeds=4, against=["gla"]))
    assert cost == (24, 8, pytest.approx(8.0), 8)


async def test_an_old_calibration_can_be_read_and_gets_what_it_lacks(make_bench: MakeBench) -> None:
    bench = make_bench(FakeStore(), FakeLab())._replace(calibrations=FakeCalibrations())
    new = await calibrate(bench, trials=1, seeds=4, tick=lambda *_: None)
    text = json.loads(new.model_dump_json())
    del text["baselines"]
    old = Calibration.model_validate_json(json.dumps(text))
    assert old.baselines == ()
    assert plan(bench, trials=1, seeds=4, known=old) == []
    wanted = plan(bench, trials=1, seeds=4, against=["gla"], known=old)
    assert {item.proposal.name for item in wanted} == {"delta_net", "gla"}
