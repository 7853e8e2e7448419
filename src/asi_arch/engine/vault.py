"""The last gate: the vault, opened for a candidate that fresh seeds did not refuse. Every opening is counted.

Candidate and reference, trained with the same fresh seeds, are scored blind at the same positions. The differences are
averaged over the seeds and compared over documents.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import Run
from asi_arch.domain.ports import BlindScores, RunOrder, Store
from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.record import canonical_hash
from asi_arch.domain.verdict import BlindComparison, VaultLook
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import QUANTITIES
from asi_arch.stats.bootstrap import clustered_difference


class Side(NamedTuple):
    """A model with its runs of the fresh seeds by stage, in the order of the seeds."""

    proposal: Proposal
    runs: Mapping[StageName, Sequence[Run]]


class NotScored(NamedTuple):
    """Why the vault could not be looked at, though it was opened."""

    reason: str


VaultTick = Callable[[int, int], None]
"""Told how many of how many scorings are done."""


def times_opened(store: Store) -> int:
    """How often the vault of this campaign was opened, also where nothing came of it."""
    told = [int(event.payload["vault_looks"]) for event in store.events() if event.kind is EventKind.VAULT_OPENED]
    return max([*told, *(verdict.vault_looks for verdict in store.verdicts())], default=0)


def known_look(bench: Bench, sha: str, seeds: Sequence[int]) -> VaultLook | None:
    """What an earlier verification with the same seeds saw in the vault."""
    for verdict in reversed(bench.store.verdicts()):
        is_same = (verdict.sha, verdict.protocol) == (sha, bench.campaign.protocol)
        if is_same and verdict.vault is not None and verdict.vault.seeds == tuple(seeds):
            return verdict.vault
    return None


async def open_vault(
    bench: Bench, candidate: Side, reference: Side, *, index: int | None, tick: VaultTick
) -> VaultLook | NotScored:
    """Count the opening, score both sides, compare. Raises `UserError` where weights are missing."""
    for side in (candidate, reference):
        _require_weights(side)
    seeds = tuple(run.key.seed for run in candidate.runs[StageName.LANGUAGE])
    payload = {"sha": candidate.proposal.sha, "seeds": seeds, "vault_looks": times_opened(bench.store) + 1}
    bench.store.append(EventKind.VAULT_OPENED, index, payload)
    jobs = [(side, stage, run) for stage in StageName for side in (candidate, reference) for run in side.runs[stage]]
    done = 0
    tick(done, len(jobs))

    async def score(side: Side, run: Run) -> BlindScores | NotScored:
        nonlocal done
        found = await _scored(bench, side.proposal, run)
        done += 1
        tick(done, len(jobs))
        return found

    tasks = [asyncio.ensure_future(score(side, run)) for side, _, run in jobs]
    try:
        answers = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    if failed := [answer for answer in answers if isinstance(answer, NotScored)]:
        return failed[0]
    scores = [answer for answer in answers if isinstance(answer, BlindScores)]

    def of(side: Side, stage: StageName) -> list[BlindScores]:
        return [found for (owner, its, _), found in zip(jobs, scores, strict=True) if owner is side and its is stage]

    name = reference.proposal.name
    comparisons = [_compared(bench, name, stage, of(candidate, stage), of(reference, stage)) for stage in StageName]
    return VaultLook(seeds=seeds, comparisons=tuple(comparisons))


async def _scored(bench: Bench, proposal: Proposal, run: Run) -> BlindScores | NotScored:
    key = run.key.model_copy(update={"split": Split.VAULT})
    order = RunOrder(source=proposal.source, key=key, mlp_width=run.mlp_width, adapter=proposal.adapter)
    found = await bench.lab.score_blind(order, bench.store.blob(run.weights))
    if isinstance(found, BlindScores):
        return found
    which = f"{proposal.name}, seed {key.seed}, {key.stage.value}"
    why = f" ({found.reason})" if found.kind == "crashed" else ""
    return NotScored(f"{which}: {found.kind} while it was scored in the vault{why}, so there is nothing to compare")


def _compared(
    bench: Bench, baseline: str, stage: StageName, own: Sequence[BlindScores], other: Sequence[BlindScores]
) -> BlindComparison:
    """Over documents; the draws follow from protocol and stage."""
    documents = own[0].documents
    seed = int(canonical_hash([bench.campaign.protocol, stage.value, "documents"])[:16], 16)
    difference = clustered_difference(
        _values(stage, own).tolist(), _values(stage, other).tolist(), documents.tolist(), np.random.default_rng(seed)
    )
    return BlindComparison(
        baseline=baseline,
        quantity=QUANTITIES[stage],
        difference=difference,
        positions=len(documents),
        documents=len(np.unique(documents)),
    )


def _values(stage: StageName, scores: Sequence[BlindScores]) -> NDArray[np.float64]:
    """Mean over the seeds at every position: nats for language, hits for recall."""
    values = [each.losses if stage is StageName.LANGUAGE else each.hits.astype(np.float64) for each in scores]
    return np.mean(values, axis=0)


def _require_weights(side: Side) -> None:
    for run in (run for runs in side.runs.values() for run in runs):
        if not run.weights:
            raise UserError(
                f"{side.proposal.name}, seed {run.key.seed}, {run.key.stage.value}: this campaign holds the run without"
                " its trained weights, as older versions stored it, and the vault is scored with those. Start a new"
                " campaign with --state, where the trainings are done again, and verify it there"
            )
