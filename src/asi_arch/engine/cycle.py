"""One turn of the loop: check, train, measure, judge, explain. Reads like a method section.

What comes before it (choice of parents, proposal) must happen in order of index and is in `campaign`; what is here may
run for several experiments at once, in any order, with the same result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Cost, Experiment
from asi_arch.domain.outcome import CheckReport, Measured, Outcome, Rejected, Run, RunKey, Severity
from asi_arch.domain.ports import Evidence, Progress, RunOrder
from asi_arch.domain.profile import StageName
from asi_arch.engine.agreement import Agreement
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import StageChanged, Trained
from asi_arch.engine.repairing import repaired
from asi_arch.engine.reviewing import Checked, read_through

_FOLLOWING = dict(pairwise(StageName))
_LOSSES = "losses"
"""Name of the array in the blob that holds them."""


async def run_experiment(
    bench: Bench, index: int, proposal: Proposal, evidence: Callable[[], Awaitable[Evidence]]
) -> Experiment:
    """Check, train, measure, judge and explain one proposal; only its finished runs, review and repairs are stored.

    What passes its checks may be read before it is trained. What fails goes to the debugger and begins again with the
    mended program.

    `evidence` is asked for after the training, because it may hold a parent that trains at the same time.
    """
    started_at, tick = bench.clock.now(), bench.clock.tick()
    attempts = [await _attempt(bench, index, proposal)]
    while (found := await repaired(bench, index, attempts[-1].checked.proposal, attempts[-1].outcome)) is not None:
        attempts.append(await _attempt(bench, index, found))
    (proposal, checks, _), runs, outcome = attempts[-1]
    bench.listen(StageChanged(index, "judging"))
    experiment = Experiment(
        index=index,
        proposal=proposal,
        protocol=bench.campaign.protocol,
        containment=bench.lab.containment,
        checks=checks,
        runs=runs,
        outcome=outcome,
        started_at=started_at,
    )
    experiment = await explain(bench, experiment, await evidence())
    trained = [run for attempt in attempts for run in attempt.runs]
    cost = Cost(
        check_cpu_s=sum(attempt.checked.check_cpu_s for attempt in attempts) + sum(run.check_cpu_s for run in trained),
        train_cpu_s=sum(run.cpu_s for run in trained),
        score_cpu_s=sum(run.score_cpu_s for run in trained),
        wall_s=bench.clock.tick() - tick,
    )
    return experiment.model_copy(update={"cost": cost, "finished_at": bench.clock.now()})


class _Attempt(NamedTuple):
    """One version of the program, or two where its author revised it: checks, runs, end."""

    checked: Checked
    runs: tuple[Run, ...]
    outcome: Outcome


async def _attempt(bench: Bench, index: int, proposal: Proposal) -> _Attempt:
    bench.listen(StageChanged(index, "checking"))
    checks = await bench.lab.check(proposal.source, proposal.adapter)
    checked = Checked(proposal, checks, checks.cpu_s)
    if rejection := _gate(proposal, checks):
        return _Attempt(checked, (), rejection)
    checked = await read_through(bench, index, checked)
    runs = await train(bench, index, checked.proposal, checked.checks)
    return _Attempt(checked, runs, _outcome(runs))


async def explain(bench: Bench, experiment: Experiment, evidence: Evidence) -> Experiment:
    """Add the judge's marks (where the code could be built) and the analyst's account."""
    judgement = None
    if experiment.checks is not None and experiment.checks.footprint is not None:
        judgement = await bench.judge.judge(experiment.proposal, experiment.checks, evidence)
    judged = experiment.model_copy(update={"judgement": judgement})
    return judged.model_copy(update={"analysis": await bench.analyst.analyse(judged, evidence)})


def is_audited(campaign_seed: int, index: int, fraction: float) -> bool:
    """Whether this experiment's early stops are let through; a pure function, so that a resumed campaign agrees."""
    return Random(f"{campaign_seed}:audit:{index}").random() < fraction


async def train(bench: Bench, index: int, proposal: Proposal, checks: CheckReport) -> tuple[Run, ...]:
    """All seeds of one stage side by side, then the next stage if every seed got through.

    Every seed runs to its own end, even when another one failed: which of them is slower must not matter. An early stop
    stands only when all seeds agree (`agreement`).
    """
    footprint = checks.footprint
    assert footprint is not None, "a candidate that passed its checks has a footprint"
    done: list[Run] = []
    for stage in StageName:
        bench.listen(StageChanged(index, stage.value))
        campaign = bench.campaign
        is_exempt = is_audited(campaign.seed, index, campaign.profile.watch.audit_fraction)
        agreement = Agreement(campaign.profile.seeds, is_audited=is_exempt)
        job = _Job(bench, index, proposal, stage, footprint.mlp_width, agreement)
        done += await asyncio.gather(*(run_once(job, seed) for seed in campaign.profile.seeds))
        if not isinstance(_outcome(done), Measured):
            break
    return tuple(done)


class _Job(NamedTuple):
    """What the seeds of one stage have in common."""

    bench: Bench
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    proposal: Proposal
    stage: StageName
    mlp_width: int
    agreement: Agreement


async def run_once(job: _Job, seed: int) -> Run:
    """One training, or its record if it was done before; in the end the other seeds know that it votes no more."""
    key = RunKey(sha=job.proposal.sha, protocol=job.bench.campaign.protocol, stage=job.stage, seed=seed)
    done: Run | None = None
    try:
        done = run = job.bench.store.run(key) or await _trained(job, key)
        return run
    finally:
        await job.agreement.end(seed, done)


async def _trained(job: _Job, key: RunKey) -> Run:
    """Train, keep the weights, remember the run."""
    bench, proposal = job.bench, job.proposal
    reference = _reference_run(bench, proposal, key)
    kept: list[NDArray[np.float32]] = []
    order = RunOrder(
        source=proposal.source,
        key=key,
        mlp_width=job.mlp_width,
        baseline=reference,
        ballot=job.agreement.ballot(key.seed),
        adapter=proposal.adapter,
        baseline_losses=_losses(bench, reference),
        then=_next(bench, key),
        is_rechecked=key.seed == bench.campaign.profile.seeds[0],
        keep_losses=kept.append if proposal.sha == bench.reference.sha else None,
    )

    def on_progress(progress: Progress) -> None:
        step = min(progress.step, len(reference.losses)) if reference else 0
        bench.listen(Trained(job.index, key, progress, reference.losses[step - 1] if reference and step else None))

    run, weights = await bench.lab.run(order, on_progress)
    if weights:
        run = run.model_copy(update={"weights": bench.store.put_blob(weights)})
    if kept:
        run = run.model_copy(update={"held_out_losses": bench.store.put_blob(save({_LOSSES: kept[0]}))})
    # A baseline's failure is ours: it is not stored, so that the next session tries again.
    if proposal.author is not Author.BASELINE or isinstance(run.outcome, Measured):
        bench.store.save_run(run)
    return run


def _next(bench: Bench, key: RunKey) -> RunKey | None:
    """The same seed's run in the next stage, unless there is none, or it is known."""
    if key.stage not in _FOLLOWING:
        return None
    found = key.model_copy(update={"stage": _FOLLOWING[key.stage]})
    return None if bench.store.run(found) else found


def _reference_run(bench: Bench, proposal: Proposal, key: RunKey) -> Run | None:
    """The reference's run to watch against; baselines are measured to the end whatever they do."""
    if proposal.author is Author.BASELINE:
        return None
    return bench.store.run(key.model_copy(update={"sha": bench.reference.sha}))


def _losses(bench: Bench, reference: Run | None) -> NDArray[np.float32] | None:
    """[R, T] of the reference at the held-out positions; from the store, so that a resumed campaign has the same."""
    if reference is None or not reference.held_out_losses:
        return None
    return load(bench.store.blob(reference.held_out_losses))[_LOSSES]


def _gate(proposal: Proposal, checks: CheckReport) -> Outcome | None:
    """Rejection by the first error, if any. A baseline is trained all the same: softmax attention is quadratic."""
    if proposal.author is Author.BASELINE and checks.footprint is not None:
        return None
    for finding in checks.findings:
        if finding.severity is Severity.ERROR:
            return Rejected(check=finding.check, reason=finding.message)
    return None


def _outcome(runs: Sequence[Run]) -> Outcome:
    """The first failure in order of stage and seed, or Measured."""
    return next((run.outcome for run in runs if not isinstance(run.outcome, Measured)), Measured())
