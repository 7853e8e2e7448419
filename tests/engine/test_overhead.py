import pytest

from asi_arch.domain.outcome import Run
from asi_arch.domain.profile import Profile
from asi_arch.engine.overhead import STEPS, Timed, measure, shortened
from asi_arch.testing.records import make_experiment

STEP_S, CHECK_S, RECHECK_S, REST_S = 0.05, 0.4, 0.3, 0.08


def _timed(number: int) -> Timed:
    """Checks, two stages with a slow step each and their second checks, and the rest, longer every time."""
    stages = tuple(tuple(2 * STEP_S if step == 3 else STEP_S for step in range(STEPS)) for _ in range(2))
    experiment = make_experiment(number)
    assert experiment.checks is not None
    runs = tuple(_rechecked(run) for run in experiment.runs)
    checks = experiment.checks.model_copy(update={"wall_s": CHECK_S})
    experiment = experiment.model_copy(update={"checks": checks, "runs": runs})
    wall_s = CHECK_S + len(runs) * RECHECK_S + sum(map(sum, stages)) + REST_S * (1 + number)
    return Timed(experiment, wall_s, stages)


def _rechecked(run: Run) -> Run:
    return run.model_copy(update={"check_wall_s": RECHECK_S})


async def test_computing_is_taken_off_however_long_it_took() -> None:
    async def timed(number: int) -> Timed:
        return _timed(number)

    found = await measure(timed, 3)
    assert (found.least_ms, found.overhead_ms, found.most_ms) == pytest.approx((80, 160, 240))
    assert found.step_ms == pytest.approx(2000 * STEP_S)


def test_a_shortened_profile_trains_on_the_same_shapes(profile: Profile) -> None:
    short = shortened(profile)
    assert (short.model, short.language.context, short.language.batch) == (
        profile.model,
        profile.language.context,
        profile.language.batch,
    )
    assert short.language.steps == short.recall.steps == STEPS
    assert len(short.seeds) == 1
