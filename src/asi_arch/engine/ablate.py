"""The ablation: a design is trained with and without each of its mechanisms, with seeds that nothing else uses.

The screening seeds would flatter the whole, which was chosen by them. The held-out text is the search's, so that the
text of `verify` stays unseen by whoever strips a design and verifies what is left.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from asi_arch.agents.composer.ablation import Rest, removable, rests
from asi_arch.domain.ablation import Ablation, PartWorth
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.outcome import CheckReport, Measured, Run, Severity
from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.verdict import Comparison
from asi_arch.engine.bench import Bench
from asi_arch.engine.claim import QUANTITIES
from asi_arch.engine.verify import Ticker, Training, trained, values
from asi_arch.stats.moderated import moderated, variance_prior
from asi_arch.stats.multiplicity import q_values
from asi_arch.stats.paired import paired_comparison

FIRST_SEED = 50_000
"""Neither a campaign's nor a verification's."""
_SPLIT = Split.VALIDATION


class Plan(NamedTuple):
    """What is trained: every design, both stages, every seed; the pairs stand next to each other."""

    whole: Proposal
    rests: list[Rest]
    seeds: tuple[int, ...]

    @property
    def trainings(self) -> list[Training]:
        """In the order in which they begin."""
        models = [self.whole, *(rest.proposal for rest in self.rests)]
        return [Training(model, stage, seed, _SPLIT) for seed in self.seeds for stage in StageName for model in models]


def plan(
    whole: Proposal, parent: Proposal | None, *, seeds: int, mechanisms: Sequence[str] = (), everything: bool = False
) -> Plan:
    """Of the mechanisms named, else of those that the parent lacks, or of `everything`.

    Raises `UserError` for free code, for a mechanism that is not there, and for fewer than two seeds.
    """
    if seeds < 2:
        raise UserError(f"--seeds must be at least 2, got {seeds}; 4 or more give a useful interval")
    chosen = mechanisms or removable(whole, None if everything else parent)
    return Plan(whole, rests(whole, list(dict.fromkeys(chosen))), tuple(range(FIRST_SEED, FIRST_SEED + seeds)))


async def ablate(bench: Bench, wish: Plan, *, index: int, tick: Ticker) -> Ablation:
    """Train what is not known yet, compare, remember.

    A rest that does not pass its checks or does not train to the end is told with its reason. Raises `UserError` where
    that happens to the whole.
    """
    models = {model.sha: model for model in (wish.whole, *(rest.proposal for rest in wish.rests))}
    checks = await asyncio.gather(*(bench.lab.check(model.source, model.adapter) for model in models.values()))
    reports = dict(zip(models, checks, strict=True))
    failures = {sha: reason for sha, report in reports.items() if (reason := _refused(report))}
    if reason := failures.get(wish.whole.sha):
        raise UserError(f"{wish.whole.name} does not pass its checks any more: {reason}")
    widths = {sha: report.footprint.mlp_width for sha, report in reports.items() if report.footprint}
    runs = await _all(bench, [item for item in wish.trainings if item.proposal.sha not in failures], widths, tick)
    for item, run in runs.items():
        if not isinstance(run.outcome, Measured):
            failures.setdefault(item.proposal.sha, f"{item.stage.value}, seed {item.seed}: {run.outcome.kind}")
    if reason := failures.get(wish.whole.sha):
        raise UserError(f"{wish.whole.name}, {reason}, so there is nothing to compare with")
    compared = _compared(wish, [rest for rest in wish.rests if rest.proposal.sha not in failures], runs)
    flops = {sha: report.footprint.flops for sha, report in reports.items() if report.footprint}
    found = Ablation(
        index=index,
        sha=wish.whole.sha,
        protocol=bench.campaign.protocol,
        seeds=wish.seeds,
        parts=tuple(_with_q([_worth(wish, rest, failures, compared, flops) for rest in wish.rests])),
        at=bench.clock.now(),
        containment=bench.lab.containment,
    )
    bench.store.append(EventKind.ABLATED, index, found.model_dump(mode="json"))
    return found


async def _all(
    bench: Bench, trainings: Sequence[Training], widths: Mapping[str, int], tick: Ticker
) -> dict[Training, Run]:
    tasks = [asyncio.ensure_future(trained(bench, item, widths[item.proposal.sha], tick)) for item in trainings]
    try:
        return dict(zip(trainings, await asyncio.gather(*tasks), strict=True))
    finally:
        for task in tasks:
            task.cancel()


def _compared(wish: Plan, rest: Sequence[Rest], runs: Mapping[Training, Run]) -> dict[str, tuple[Comparison, ...]]:
    """By the source of the rest. Variances are moderated over the rests, whose differences are to one whole."""
    found: dict[str, list[Comparison]] = {each.proposal.sha: [] for each in rest}
    for stage in StageName:
        whole = values(runs, wish.whole, stage, wish.seeds, _SPLIT)
        plain = {
            each.proposal.sha: paired_comparison(
                values(runs, each.proposal, stage, wish.seeds, _SPLIT),
                whole,
                seeds=wish.seeds,
                baseline=wish.whole.name,
                quantity=QUANTITIES[stage],
            )
            for each in rest
        }
        prior = variance_prior([comparison.differences for comparison in plain.values()])
        for sha, comparison in plain.items():
            found[sha].append(moderated(comparison, prior))
    return {sha: tuple(comparisons) for sha, comparisons in found.items()}


def _worth(
    wish: Plan,
    rest: Rest,
    failures: Mapping[str, str],
    compared: Mapping[str, tuple[Comparison, ...]],
    flops: Mapping[str, int],
) -> PartWorth:
    sha = rest.proposal.sha
    return PartWorth(
        mechanism=rest.mechanism,
        title=rest.title,
        change=rest.proposal.change,
        name=rest.proposal.name,
        sha=sha,
        work=flops[sha] / max(1, flops[wish.whole.sha]) if sha in flops else None,
        comparisons=compared.get(sha, ()),
        failure=failures.get(sha, ""),
    )


def _with_q(parts: Sequence[PartWorth]) -> list[PartWorth]:
    """Corrected for all comparisons together: some of many parts seem to matter by chance."""
    corrected = iter(q_values([comparison.p_value for part in parts for comparison in part.comparisons]))
    return [part.model_copy(update={"q_values": tuple(next(corrected) for _ in part.comparisons)}) for part in parts]


def _refused(report: CheckReport) -> str:
    """The first error of the checks; empty where they were passed."""
    return next((finding.message for finding in report.findings if finding.severity is Severity.ERROR), "")
