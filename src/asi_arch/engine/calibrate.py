"""The A/A campaign: the reference baseline against itself, to know the noise and what our gates make of it.

Each trial trains one program with seeds of its own for either side, so that the sides differ by chance alone. The first
trial's second side has the seeds that `verify` gives the baseline: those trainings are shared.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asi_arch.domain.calibration import Calibration, SeedNoise
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import Run, RunKey
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import Comparison
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import QUANTITIES, Calibrated, known_calibration
from asi_arch.engine.verify import FIRST_FRESH_SEED, Ticker, Training, fresh_key, train_all, values
from asi_arch.stats.moderated import FEWEST_MODELS, Prior, moderated, prior_of
from asi_arch.stats.paired import paired_comparison, pooled_noise
from asi_arch.stats.promotion import FEWEST_SEEDS, proportion, refusals
from asi_arch.stats.wording import is_loss

MOST_SEEDS = 100
"""Seeds of one side; the sides' seeds lie that far apart, so that more seeds never mean other pairs."""


class Estimate(NamedTuple):
    """What a calibration will cost."""

    trainings: int
    missing: int
    """Not in the store yet."""
    cpu_s: float | None
    """Of the missing ones, by what the same trainings took so far; None where there were none."""


class _Trial(NamedTuple):
    """Seeds of the two sides."""

    first: range
    second: range


def require_enough(*, trials: int, seeds: int) -> None:
    """Raises `UserError` for too few or too many of either."""
    if trials < 1:
        raise UserError(f"--trials must be at least 1, got {trials}")
    if not FEWEST_SEEDS <= seeds <= MOST_SEEDS:
        raise UserError(
            f"--seeds must be {FEWEST_SEEDS} to {MOST_SEEDS}, got {seeds}; nothing is promoted on fewer, and 8 tell the"
            " noise within a third"
        )


def plan(bench: Bench, *, trials: int, seeds: int) -> list[Training]:
    """Both stages of all seeds of all trials. Raises what `require_enough` raises."""
    require_enough(trials=trials, seeds=seeds)
    reference = bench.reference
    return [
        Training(reference, stage, seed)
        for trial in _trials(trials, seeds)
        for pair in zip(trial.first, trial.second, strict=True)
        for seed in pair
        for stage in StageName
    ]


def estimate(bench: Bench, trainings: Sequence[Training]) -> Estimate:
    """What is missing, and its CPU time from the reference's trainings that are stored."""
    missing = [item for item in trainings if bench.store.run(fresh_key(bench, item)) is None]
    costs = {stage: _cost_s(bench, trainings, stage) for stage in StageName}
    known = [cost for item in missing if (cost := costs[item.stage]) is not None]
    return Estimate(len(trainings), len(missing), sum(known) if len(known) == len(missing) else None)


async def calibrate(bench: Bench, *, trials: int, seeds: int, tick: Ticker) -> Calibration:
    """Train what is not known yet, count what fresh seeds promote, and remember it here and for other campaigns.

    The vault stays closed.
    """
    trainings = plan(bench, trials=trials, seeds=seeds)
    runs = await train_all(bench, trainings, tick)
    model = trainings[0].proposal
    pairs = _trials(trials, seeds)
    by_trial = _moderated([[_compared(runs, model, stage, pair) for stage in StageName] for pair in pairs])
    promoted = sum(not refusals(c, _loss(c).p_value, 1) for c in by_trial)
    calibration = Calibration(
        protocol=bench.campaign.protocol,
        baseline=model.name,
        trials=trials,
        seeds=seeds,
        noise=tuple(_noise(runs, model, stage) for stage in StageName),
        promoted=promoted,
        rate=proportion(promoted, trials),
        comparisons=tuple(_loss(comparisons) for comparisons in by_trial),
        at=bench.clock.now(),
        machine=bench.calibrations.machine if bench.calibrations else "",
    )
    bench.store.append(EventKind.CALIBRATED, None, calibration.model_dump(mode="json"))
    if bench.calibrations:
        bench.calibrations.keep(calibration)
    return calibration


def enough(bench: Bench, *, trials: int, seeds: int) -> Calibrated | None:
    """A calibration that holds here and is no smaller than the one asked for; there is no need for another."""
    found = known_calibration(bench)
    if found is None or found.calibration.trials < trials or found.calibration.seeds < seeds:
        return None
    return found


def _trials(trials: int, seeds: int) -> list[_Trial]:
    def side(place: int) -> range:
        start = FIRST_FRESH_SEED + place * MOST_SEEDS
        return range(start, start + seeds)

    return [_Trial(side(2 * trial + 1), side(2 * trial)) for trial in range(trials)]


def _cost_s(bench: Bench, trainings: Sequence[Training], stage: StageName) -> float | None:
    """Mean CPU seconds of one training of the reference, scoring included."""
    protocol, sha = bench.campaign.protocol, trainings[0].proposal.sha
    searched = [RunKey(sha=sha, protocol=protocol, stage=stage, seed=seed) for seed in bench.campaign.profile.seeds]
    keys = [*searched, *(fresh_key(bench, item) for item in trainings if item.stage is stage)]
    costs = [run.cpu_s + run.score_cpu_s for key in keys if (run := bench.store.run(key)) is not None]
    return sum(costs) / len(costs) if costs else None


def _compared(runs: Mapping[Training, Run], model: Proposal, stage: StageName, trial: _Trial) -> Comparison:
    first, second = (values(runs, model, stage, side) for side in trial)
    return paired_comparison(first, second, seeds=trial.first, baseline=model.name, quantity=QUANTITIES[stage])


def _moderated(trials: list[list[Comparison]]) -> list[list[Comparison]]:
    """With the variances of all trials, stage by stage: no seed is shared, so they are independent."""
    priors = [_prior(stage) for stage in zip(*trials, strict=True)]
    return [[moderated(c, prior) for c, prior in zip(trial, priors, strict=True)] for trial in trials]


def _prior(comparisons: Sequence[Comparison]) -> Prior | None:
    variances = [float(np.var(c.differences, ddof=1)) for c in comparisons]
    positive = [variance for variance in variances if variance > 0]
    if len(positive) < FEWEST_MODELS:
        return None
    return prior_of(positive, [len(comparisons[0].seeds) - 1] * len(positive))


def _noise(runs: Mapping[Training, Run], model: Proposal, stage: StageName) -> SeedNoise:
    seeds = sorted({item.seed for item in runs})
    noise = pooled_noise([values(runs, model, stage, seeds)])
    assert noise is not None, "every trial has several seeds"
    return SeedNoise(quantity=QUANTITIES[stage], std=noise.std, degrees=noise.degrees)


def _loss(comparisons: Sequence[Comparison]) -> Comparison:
    return next(c for c in comparisons if is_loss(c.quantity))
