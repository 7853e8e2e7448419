"""The second look: fresh seeds, then the vault. What a campaign's own numbers suggest, this may claim.

The candidate and every baseline are trained again with seeds that no campaign uses, in pairs (same seed, same data
order), and scored on a split that the search has never seen. Only where that refuses nothing the vault is opened, with
the weights of the same trainings.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import Measured, Run, RunKey
from asi_arch.domain.ports import Progress, RunOrder
from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.verdict import Verdict
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import Scores, borne_out, claim, is_contained, not_scored
from asi_arch.engine.vault import NotScored, Side, VaultTick, known_look, open_vault, times_opened

FIRST_FRESH_SEED = 1000
"""Campaign seeds lie below."""


class Training(NamedTuple):
    """One of the runs that a verification needs, or another look at a finished experiment."""

    proposal: Proposal
    stage: StageName
    seed: int
    split: Split = Split.FRESH
    """Held-out part that it is scored on."""


Ticker = Callable[[Training, Progress], None]


def plan(bench: Bench, proposal: Proposal, *, baselines: Sequence[str], seeds: int) -> list[Training]:
    """Candidate and baselines, both stages, every fresh seed; the pairs stand next to each other."""
    if seeds < 2:
        raise UserError(f"an interval needs at least 2 seeds, got {seeds}; 4 or more give a useful one")
    models = [proposal, *(bench.baseline(name) for name in baselines)]
    fresh = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + seeds)
    return [Training(model, stage, seed) for seed in fresh for stage in StageName for model in models]


async def verify(
    bench: Bench,
    proposal: Proposal,
    *,
    index: int | None,
    baselines: Sequence[str],
    seeds: int,
    tick: Ticker,
    vault_tick: VaultTick = lambda _done, _all: None,
    may_promote: Callable[[str], bool] = is_contained,
) -> Verdict:
    """Train what is not known yet, compare, open the vault where nothing is refused, store the verdict.

    `may_promote` says whether results under a containment can be promoted. What an earlier verification with the same
    seeds saw in the vault is not looked at again.
    """
    trainings = plan(bench, proposal, baselines=baselines, seeds=seeds)
    found = await train_all(bench, trainings, tick)
    fresh = sorted({item.seed for item in trainings})
    models = [bench.baseline(name) for name in baselines]
    scores = Scores(
        tuple(fresh),
        {
            (model.sha, stage): values(found, model, stage, fresh)
            for model in (proposal, *models)
            for stage in StageName
        },
        tuple(run.containment for item, run in found.items() if item.proposal.sha == proposal.sha),
    )
    verdict = claim(
        bench,
        proposal,
        scores,
        index=index,
        baselines=models,
        vault_looks=times_opened(bench.store),
        may_promote=may_promote,
    )
    if verdict.is_promoted:
        look = known_look(bench, proposal.sha, fresh)
        if look is None:
            sides = (_side(found, model, fresh) for model in (proposal, bench.reference))
            look = await open_vault(bench, *sides, index=index, tick=vault_tick)
        looks = times_opened(bench.store)
        if isinstance(look, NotScored):
            verdict = not_scored(verdict, look.reason, vault_looks=looks)
        else:
            verdict = borne_out(verdict, look, vault_looks=looks)
    bench.store.save_verdict(verdict)
    return verdict


async def train_all(bench: Bench, trainings: Sequence[Training], tick: Ticker) -> dict[Training, Run]:
    """Every training's run, from the store where it was done before; scored on the fresh split.

    Raises `UserError` when a model no longer passes its checks or a training did not end well.
    """
    widths = await _mlp_widths(bench, list({item.proposal.sha: item.proposal for item in trainings}.values()))
    tasks = [asyncio.ensure_future(_run(bench, item, widths[item.proposal.sha], tick)) for item in trainings]
    try:
        runs = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return dict(zip(trainings, runs, strict=True))


def values(
    runs: Mapping[Training, Run], model: Proposal, stage: StageName, seeds: Sequence[int], split: Split = Split.FRESH
) -> list[float]:
    """The stage's number of every seed: nats for language, accuracy for recall."""
    scores = [runs[Training(model, stage, seed, split)].score for seed in seeds]
    present = [score for score in scores if score is not None]
    return [s.loss_nats if stage is StageName.LANGUAGE else s.accuracy for s in present]


def key_of(bench: Bench, item: Training) -> RunKey:
    """Under which the run is stored."""
    protocol = bench.campaign.protocol
    return RunKey(sha=item.proposal.sha, protocol=protocol, stage=item.stage, seed=item.seed, split=item.split)


def _side(runs: Mapping[Training, Run], model: Proposal, seeds: Sequence[int]) -> Side:
    return Side(model, {stage: [runs[Training(model, stage, seed)] for seed in seeds] for stage in StageName})


async def _mlp_widths(bench: Bench, proposals: Sequence[Proposal]) -> dict[str, int]:
    widths: dict[str, int] = {}
    for proposal in proposals:
        checks = await bench.lab.check(proposal.source, proposal.adapter)
        if checks.footprint is None:
            reasons = "; ".join(finding.message for finding in checks.findings)
            raise UserError(f"{proposal.name} does not pass its checks any more: {reasons}")
        widths[proposal.sha] = checks.footprint.mlp_width
    return widths


async def trained(bench: Bench, item: Training, mlp_width: int, tick: Ticker) -> Run:
    """The training's run, from the store where it was done before. Weights are kept for the vault only."""
    key = key_of(bench, item)
    run = bench.store.run(key)
    if run is None:
        order = RunOrder(source=item.proposal.source, key=key, mlp_width=mlp_width, adapter=item.proposal.adapter)
        run, weights = await bench.lab.run(order, lambda progress: tick(item, progress))
        if weights and item.split is Split.FRESH:
            run = run.model_copy(update={"weights": bench.store.put_blob(weights)})
        bench.store.save_run(run)
    steps = run.steps
    tick(item, Progress(steps, steps, run.losses[-1] if run.losses else float("nan"), 0.0))
    return run


async def _run(bench: Bench, item: Training, mlp_width: int, tick: Ticker) -> Run:
    run = await trained(bench, item, mlp_width, tick)
    if not isinstance(run.outcome, Measured):
        which = f"{item.proposal.name}, seed {item.seed}, {item.stage.value}"
        raise UserError(f"{which}: {run.outcome.kind}, so there is nothing to compare")
    return run
