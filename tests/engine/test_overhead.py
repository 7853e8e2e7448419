import pytest

from asi_arch.domain.profile import Profile
from asi_arch.engine.overhead import STEPS, Step, Timed, measure, shortened
from asi_arch.testing.records import make_experiment

STEP_S, GAP_S, CHECK_S, RECHECK_S, REST_S = 0.05, 0.002, 0.4, 0.3, 0.08


def _stage() -> tuple[Step, ...]:
    """Steps one after the other with a message between them; one of them is slow."""
    now, steps = 7.0, list[Step]()
    for number in range(STEPS):
        took_s = 2 * STEP_S if number == 3 else STEP_S
        now += took_s + GAP_S
        steps.append(Step(now, took_s))
    return tuple(steps)


def _timed(number: int) -> Timed:
    """Checks, two stages with their second checks, and the rest, longer every time."""
    stages = (_stage(), _stage())
    training_s = sum(stage[-1].at - stage[0].at + stage[0].took_s for stage in stages)
    experiment = make_experiment(number)
    assert experiment.checks is not None
    runs = tuple(run.model_copy(update={"check_wall_s": RECHECK_S}) for run in experiment.runs)
    checks = experiment.checks.model_copy(update={"wall_s": CHECK_S})
    experiment = experiment.model_copy(update={"checks": checks, "runs": runs})
    return Timed(experiment, CHECK_S + len(runs) * RECHECK_S + training_s + REST_S * (1 + number), stages)


async def test_computing_is_taken_off_however_long_it_took() -> None:
    async def timed(number: int) -> Timed:
        return _timed(number)

    found = await measure(timed, 3)
    assert (found.least_ms, found.overhead_ms, found.most_ms) == pytest.approx((80, 160, 240))
    assert found.step_ms == pytest.approx(2000 * STEP_S)
    assert found.between_steps_ms == pytest.approx(1000 * GAP_S)


def test_a_shortened_profile_trains_on_the_same_shapes(profile: Profile) -> None:
    short = shortened(profile)
    assert (short.model, short.language.context, short.language.batch) == (
        profile.model,
        profile.language.context,
        profile.language.batch,
    )
    assert short.language.steps == short.recall.steps == STEPS
    assert len(short.seeds) == 1
