"""From values on fresh seeds to a verdict: comparisons, correction over the campaign, promoted or why not."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.calibration import Calibration
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import Comparison, Verdict
from asi_arch.engine.bench import Bench
from asi_arch.stats.evidence import e_value
from asi_arch.stats.moderated import moderated, variance_prior
from asi_arch.stats.paired import paired_comparison
from asi_arch.stats.promotion import ALPHA, Look, entrant_q_values, entrants, refusals
from asi_arch.stats.wording import describe, is_loss

QUANTITIES = {StageName.LANGUAGE: "language loss", StageName.RECALL: "recall accuracy"}
CONTAINED = frozenset({"bubblewrap", "landlock"})
"""Ways of containing candidate code under which a result can be promoted."""


class Scores(NamedTuple):
    """Values of the vault by model and stage, one for every fresh seed: nats for language, accuracy for recall."""

    seeds: tuple[int, ...]
    values: Mapping[tuple[str, StageName], Sequence[float]]
    """By the model's source hash."""


def is_contained(containment: str) -> bool:
    """Whether results under this containment can be promoted."""
    return containment in CONTAINED


def claim(
    bench: Bench,
    proposal: Proposal,
    scores: Scores,
    *,
    index: int | None,
    baselines: Sequence[Proposal],
    may_promote: Callable[[str], bool] = is_contained,
) -> Verdict:
    """The verdict about `proposal`, not yet stored. Its q-value counts every verification of the campaign so far."""
    earlier = bench.store.verdicts()
    known = _Known(scores, baselines, earlier)
    comparisons = [_compared(known, proposal, baseline, stage) for baseline in baselines for stage in StageName]
    reference = bench.baseline(bench.campaign.profile.search.baselines[0])
    decisive = [c for c in comparisons if c.baseline == reference.name]
    loss = next((c for c in decisive if is_loss(c.quantity)), None)
    looks = _looks(earlier, proposal, reference, loss)
    q_value = entrant_q_values(looks)[proposal.sha] if loss else None
    reasons = [*refusals(decisive, q_value, len(looks)), *_distrust(bench, proposal, earlier, may_promote)]
    return Verdict(
        sha=proposal.sha,
        index=index,
        protocol=bench.campaign.protocol,
        comparisons=tuple(comparisons),
        statement="; ".join(f"{c.quantity} {describe(c, q_value=q_value if c is loss else None)}" for c in comparisons),
        vault_looks=len(earlier) + 1,
        at=bench.clock.now(),
        fresh_seeds=len(scores.seeds),
        q_value=q_value,
        entrants=len(looks),
        e_value=e_value(loss.differences) if loss else None,
        containment=bench.lab.containment,
        is_promoted=not reasons,
        reason="; ".join(reasons),
    )


def latest_calibration(store: Store, protocol: str) -> Calibration | None:
    """The last A/A campaign under this protocol."""
    for event in reversed(store.events()):
        if event.kind is EventKind.CALIBRATED and event.payload["protocol"] == protocol:
            return Calibration.model_validate(event.payload)
    return None


class _Known(NamedTuple):
    """All that tells how much differences to a baseline vary between seeds."""

    scores: Scores
    baselines: Sequence[Proposal]
    earlier: Sequence[Verdict]


def _compared(known: _Known, model: Proposal, baseline: Proposal, stage: StageName) -> Comparison:
    """On the fresh seeds; moderated with the differences of earlier entrants and other baselines to the same one."""
    own, reference = (known.scores.values[one.sha, stage] for one in (model, baseline))
    plain = paired_comparison(
        own, reference, seeds=known.scores.seeds, baseline=baseline.name, quantity=QUANTITIES[stage]
    )
    groups = {
        verdict.sha: comparison.differences
        for verdict in known.earlier
        for comparison in verdict.comparisons
        if (comparison.baseline, comparison.quantity) == (plain.baseline, plain.quantity)
    }
    for other in known.baselines:
        if other.sha != baseline.sha:
            values = known.scores.values[other.sha, stage]
            groups[other.sha] = tuple(a - b for a, b in zip(values, reference, strict=True))
    groups[model.sha] = plain.differences
    return moderated(plain, variance_prior(list(groups.values())))


def _looks(earlier: Sequence[Verdict], proposal: Proposal, reference: Proposal, loss: Comparison | None) -> list[Look]:
    """All verifications of the campaign, this one last."""
    looks = entrants(earlier, reference.name)
    if loss is None:
        return looks
    others = [look for look in looks if (look.sha, look.comparison.seeds) != (proposal.sha, loss.seeds)]
    return [*others, Look(proposal.sha, loss)]


def _distrust(
    bench: Bench, proposal: Proposal, earlier: Sequence[Verdict], may_promote: Callable[[str], bool]
) -> list[str]:
    """Why good numbers would not be enough: where the code ran, and what the baseline under other names showed.

    Trainings of an earlier verification are not done again, so its containment counts as well.
    """
    found: list[str] = []
    places = [bench.lab.containment, *(verdict.containment for verdict in earlier if verdict.sha == proposal.sha)]
    bad = next((place for place in places if not may_promote(place)), None)
    if bad is not None:
        found.append(f"its code ran under the containment '{bad or 'unknown'}', under which nothing can be promoted")
    calibration = latest_calibration(bench.store, bench.campaign.protocol)
    if calibration is not None and calibration.rate.low > ALPHA:
        found.append(
            f"the A/A calibration promoted {calibration.promoted} of {calibration.trials} equal pairs, surely more than"
            f" {ALPHA:.0%}"
        )
    return found
