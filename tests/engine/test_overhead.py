from random import Random

import pytest

from asi_arch.domain.experiment import Cost
from asi_arch.domain.profile import Profile
from asi_arch.engine.overhead import STEPS, Timed, measure, shortened
from asi_arch.testing.records import make_experiment

STEP_S, FIRST_S, CHECK_S, REST_S = 0.05, 0.02, 0.4, 0.08


def _timed(number: int) -> Timed:
    """Two stages whose first steps take longer, a check, and the rest; one step in twelve is disturbed."""
    rng, now, stages = Random(number), CHECK_S + REST_S, []
    for _ in range(2):
        now += FIRST_S
        disturbed, reports = rng.randrange(1, STEPS), []
        for step in range(STEPS):
            now += STEP_S + (0.01 if step == disturbed else 0.0)
            reports.append(now)
        stages.append(tuple(reports))
    experiment = make_experiment(number).model_copy(update={"cost": Cost(check_cpu_s=CHECK_S)})
    return Timed(experiment, now, tuple(stages))


async def test_computing_is_taken_off_and_what_first_steps_cost_is_not() -> None:
    async def timed(number: int) -> Timed:
        return _timed(number)

    found = await measure(timed, 5)
    assert found.overhead_ms == pytest.approx(1000 * (REST_S + 2 * FIRST_S + 2 * 0.01))
    assert found.step_ms == pytest.approx(2000 * STEP_S)
    assert found.least_ms <= found.overhead_ms <= found.most_ms


def test_a_shortened_profile_trains_on_the_same_shapes(profile: Profile) -> None:
    short = shortened(profile)
    assert (short.model, short.language.context, short.language.batch) == (
        profile.model,
        profile.language.context,
        profile.language.batch,
    )
    assert short.language.steps == short.recall.steps == STEPS
    assert len(short.seeds) == 1
