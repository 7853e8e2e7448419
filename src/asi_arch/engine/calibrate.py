"""The A/A campaign: the reference baseline against itself, to know the noise and what our gates make of it.

Each trial trains one program with seeds of its own for either side, so that the sides differ by chance alone. The first
trial's second side has the seeds that `verify` gives the baseline: those trainings are shared.

Other baselines are measured with the seeds of that side: in pairs with the reference and with one another.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asi_arch.domain.calibration import Calibration, SeedNoise, SeedValues
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import Run, RunKey
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import Comparison, SeedSpread
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import QUANTITIES, Calibrated, known_calibration
from asi_arch.engine.verify import FIRST_FRESH_SEED, Ticker, Training, key_of, train_all, values
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
    guessed: int = 0
    """Trainings of programs that were never trained here and are counted like another's."""


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


def plan(
    bench: Bench, *, trials: int, seeds: int, against: Sequence[str] = (), known: Calibration | None = None
) -> list[Training]:
    """Both stages of all seeds of all trials, then of the baselines `against`; nothing that is `known`.

    Raises what `require_enough` raises, and `CandidateError` for a baseline that there is not.
    """
    require_enough(trials=trials, seeds=seeds)
    pairs = [
        Training(bench.reference, stage, seed)
        for trial in ([] if known else _trials(trials, seeds))
        for pair in zip(trial.first, trial.second, strict=True)
        for seed in pair
        for stage in StageName
    ]
    others = [
        Training(model, stage, seed)
        for model in _unknown(bench, against, seeds, known)
        for seed in _common_seeds(seeds)
        for stage in StageName
    ]
    return list(dict.fromkeys([*pairs, *others]))


def _unknown(bench: Bench, against: Sequence[str], seeds: int, known: Calibration | None) -> list[Proposal]:
    """The reference, for the pairs, and the baselines asked for, without those that have that many seeds already."""
    models = [bench.reference, *map(bench.baseline, against)] if against else []
    found = {model.sha: model for model in models}
    for item in known.baselines if known else ():
        if len(item.seeds) >= seeds:
            found.pop(item.sha, None)
    return list(found.values())


def estimate(bench: Bench, trainings: Sequence[Training], like: Proposal | None = None) -> Estimate:
    """What is missing, and its CPU time from stored trainings of the same programs.

    What was never trained is counted `like` another program, by default the reference.
    """
    like = like or bench.reference
    missing = [item for item in trainings if bench.store.run(key_of(bench, item)) is None]
    models = {item.proposal.sha for item in trainings} | {like.sha}
    costs = {(sha, stage): _cost_s(bench, trainings, sha, stage) for sha in models for stage in StageName}
    guessed = sum(costs[item.proposal.sha, item.stage] is None for item in missing)
    likely = [costs[item.proposal.sha, item.stage] or costs[like.sha, item.stage] for item in missing]
    known = [cost for cost in likely if cost is not None]
    return Estimate(len(trainings), len(missing), sum(known) if len(known) == len(missing) else None, guessed)


async def calibrate(
    bench: Bench,
    *,
    trials: int,
    seeds: int,
    tick: Ticker,
    against: Sequence[str] = (),
    known: Calibrated | None = None,
) -> Calibration:
    """Train what is not known yet, count what fresh seeds promote, and remember it here and for other campaigns.

    With a `known` calibration, which `enough` found, only the baselines `against` are added to it, and it is kept where
    it came from. The vault stays closed.
    """
    trainings = plan(bench, trials=trials, seeds=seeds, against=against, known=known and known.calibration)
    runs = await train_all(bench, trainings, tick)
    found = known.calibration if known else _equal_sides(bench, runs, trials, seeds)
    models = {item.proposal.sha: item.proposal for item in trainings}.values()
    earlier = known or known_calibration(bench)
    measured = found.model_copy(update={"baselines": tuple(_seed_values(runs, model, seeds) for model in models)})
    calibration = measured.joined(earlier.calibration.baselines if earlier else ())
    if known is None or not known.is_cached:
        bench.store.append(EventKind.CALIBRATED, None, calibration.model_dump(mode="json"))
    if bench.calibrations:
        bench.calibrations.keep(calibration)
    return calibration


def _equal_sides(bench: Bench, runs: Mapping[Training, Run], trials: int, seeds: int) -> Calibration:
    """The reference against itself, trial by trial."""
    model, pairs = bench.reference, _trials(trials, seeds)
    by_trial = _moderated([[_compared(runs, model, stage, pair) for stage in StageName] for pair in pairs])
    promoted = sum(not refusals(c, _loss(c).p_value, 1) for c in by_trial)
    return Calibration(
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


def _common_seeds(seeds: int) -> range:
    """Those of all baselines: the first trial's second side."""
    return _trials(1, seeds)[0].second


def _seed_values(runs: Mapping[Training, Run], model: Proposal, seeds: int) -> SeedValues:
    common = _common_seeds(seeds)
    numbers = {QUANTITIES[stage]: tuple(values(runs, model, stage, common)) for stage in StageName}
    spreads = tuple(
        SeedSpread(
            baseline=model.name,
            quantity=quantity,
            mean=float(np.mean(each)),
            std=float(np.std(each, ddof=1)),
            seeds=len(each),
        )
        for quantity, each in numbers.items()
    )
    return SeedValues(sha=model.sha, seeds=tuple(common), values=numbers, spreads=spreads)


def _cost_s(bench: Bench, trainings: Sequence[Training], sha: str, stage: StageName) -> float | None:
    """Mean CPU seconds of one training of the model, scoring included; None where it was never trained here."""
    protocol = bench.campaign.protocol
    searched = [RunKey(sha=sha, protocol=protocol, stage=stage, seed=seed) for seed in bench.campaign.profile.seeds]
    fresh = [item for item in trainings if (item.proposal.sha, item.stage) == (sha, stage)]
    keys = [*searched, *(key_of(bench, item) for item in fresh)]
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
    seeds = sorted({item.seed for item in runs if item.proposal.sha == model.sha})
    noise = pooled_noise([values(runs, model, stage, seeds)])
    assert noise is not None, "every trial has several seeds"
    return SeedNoise(quantity=QUANTITIES[stage], std=noise.std, degrees=noise.degrees)


def _loss(comparisons: Sequence[Comparison]) -> Comparison:
    return next(c for c in comparisons if is_loss(c.quantity))
