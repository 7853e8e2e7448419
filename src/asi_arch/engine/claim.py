"""From values on fresh seeds to a verdict: comparisons, correction over the campaign, promoted or why not."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.calibration import Calibration
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import CalibrationUse, Comparison, VaultLook, Verdict
from asi_arch.engine.bench import Bench
from asi_arch.stats.evidence import always_valid_p, e_value
from asi_arch.stats.moderated import KnownVariance, moderated, variance_prior
from asi_arch.stats.paired import paired_comparison
from asi_arch.stats.promotion import ALPHA, Look, entrant_q_values, entrants, refusals, vault_refusals
from asi_arch.stats.wording import day, describe, describe_blind, is_loss

QUANTITIES = {StageName.LANGUAGE: "language loss", StageName.RECALL: "recall accuracy"}
CONTAINED = frozenset({"bubblewrap", "landlock"})
"""Ways of containing candidate code under which a result can be promoted."""


class Scores(NamedTuple):
    """Values on the fresh split by model and stage, one per seed: nats for language, accuracy for recall."""

    seeds: tuple[int, ...]
    values: Mapping[tuple[str, StageName], Sequence[float]]
    """By the model's source hash."""
    places: tuple[str, ...] = ()
    """How the candidate's trainings were contained, some of which may be of an earlier session."""


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
    vault_looks: int = 0,
    may_promote: Callable[[str], bool] = is_contained,
) -> Verdict:
    """The verdict of the fresh seeds about `proposal`, not yet stored, before the vault (`borne_out`).

    Its q-value counts every verification of the campaign so far. `vault_looks` is how often the vault was opened.
    """
    earlier, calibrated = bench.store.verdicts(), known_calibration(bench)
    known = _Known(scores, baselines, earlier, calibrated)
    comparisons = [_compared(known, proposal, baseline, stage) for baseline in baselines for stage in StageName]
    reference = bench.reference
    decisive = [c for c in comparisons if c.baseline == reference.name]
    loss = next((c for c in decisive if is_loss(c.quantity)), None)
    looks = _looks(earlier, proposal, reference, loss)
    q_value = entrant_q_values(looks)[proposal.sha] if loss else None
    reasons = [*refusals(decisive, q_value, len(looks)), *_distrust(bench, proposal, known, may_promote)]
    return Verdict(
        sha=proposal.sha,
        index=index,
        protocol=bench.campaign.protocol,
        comparisons=tuple(comparisons),
        statement="; ".join(f"{c.quantity} {describe(c, q_value=q_value if c is loss else None)}" for c in comparisons),
        vault_looks=vault_looks,
        at=bench.clock.now(),
        fresh_seeds=len(scores.seeds),
        q_value=q_value,
        entrants=len(looks),
        e_value=e_value(loss.differences) if loss else None,
        anytime_p=always_valid_p(loss.differences) if loss else None,
        calibration=_use(calibrated, baselines),
        containment=bench.lab.containment,
        is_promoted=not reasons,
        reason="; ".join(reasons),
    )


def not_scored(verdict: Verdict, reason: str, *, vault_looks: int) -> Verdict:
    """The verdict where the vault was opened and nothing came of it: a look that counts, and no promotion."""
    return verdict.model_copy(update={"vault_looks": vault_looks, "is_promoted": False, "reason": reason})


def borne_out(verdict: Verdict, look: VaultLook, *, vault_looks: int) -> Verdict:
    """The verdict of fresh seeds with what the vault says to it."""
    reasons = vault_refusals(look.comparisons)
    return verdict.model_copy(
        update={
            "vault": look,
            "vault_looks": vault_looks,
            "statement": "; ".join([verdict.statement, *map(describe_blind, look.comparisons)]),
            "is_promoted": verdict.is_promoted and not reasons,
            "reason": "; ".join([verdict.reason, *reasons] if verdict.reason else reasons),
        }
    )


class Calibrated(NamedTuple):
    """A calibration that holds here, and whether it was made in another campaign."""

    calibration: Calibration
    is_cached: bool


def known_calibration(bench: Bench) -> Calibrated | None:
    """The campaign's own last one, else the one that is kept for this protocol and class of machines.

    What is kept of baselines that the campaign has not measured itself is added to its own.
    """
    protocol = bench.campaign.protocol
    kept = bench.calibrations.known(protocol) if bench.calibrations else None
    if (own := latest_calibration(bench.store, protocol)) is not None:
        return Calibrated(own.joined(kept.baselines) if kept else own, False)
    return None if kept is None else Calibrated(kept, True)


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
    calibrated: Calibrated | None


def _compared(known: _Known, model: Proposal, baseline: Proposal, stage: StageName) -> Comparison:
    """On the fresh seeds; moderated with the differences of earlier entrants and other baselines to the same one.

    Baselines that a calibration measured have more seeds there, the first of which are those of a verification.
    """
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
    for sha, differences in _between_baselines(known.calibrated, baseline, plain.quantity).items():
        groups[sha] = max(groups.get(sha, ()), differences, key=len)  # the same trainings and more
    groups[model.sha] = plain.differences
    return moderated(plain, variance_prior(list(groups.values()), _own_noise(known.calibrated, plain)))


def _own_noise(calibrated: Calibrated | None, comparison: Comparison) -> list[KnownVariance]:
    """How much two trainings of the baseline differ, by the A/A calibration, where it was made with this baseline."""
    if calibrated is None or calibrated.calibration.baseline != comparison.baseline:
        return []
    noises = [noise for noise in calibrated.calibration.noise if noise.quantity == comparison.quantity]
    return [KnownVariance(2 * noise.std**2, noise.degrees) for noise in noises]


def _between_baselines(
    calibrated: Calibrated | None, baseline: Proposal, quantity: str
) -> dict[str, tuple[float, ...]]:
    """Differences of all other calibrated baselines to this one, by source; seed by seed, from the first fresh seed."""
    if calibrated is None:
        return {}
    found = calibrated.calibration
    others = [item.sha for item in found.baselines if item.sha != baseline.sha]
    return {sha: gaps for sha in others if (gaps := found.differences(sha, baseline.sha, quantity))}


def _use(calibrated: Calibrated | None, baselines: Sequence[Proposal]) -> CalibrationUse | None:
    if calibrated is None:
        return None
    found = calibrated.calibration
    noise = next((noise for noise in found.noise if is_loss(noise.quantity)), None)
    return CalibrationUse(
        at=found.at,
        machine=found.machine,
        is_cached=calibrated.is_cached,
        noise_nats=noise.std if noise else 0.0,
        degrees=noise.degrees if noise else 0,
        spreads=tuple(
            spread
            for baseline in baselines
            if (values := found.seed_values(baseline.sha)) is not None
            for spread in values.spreads
        ),
    )


def _looks(earlier: Sequence[Verdict], proposal: Proposal, reference: Proposal, loss: Comparison | None) -> list[Look]:
    """All verifications of the campaign, this one last."""
    looks = entrants(earlier, reference.name)
    if loss is None:
        return looks
    others = [look for look in looks if (look.sha, look.comparison.seeds) != (proposal.sha, loss.seeds)]
    return [*others, Look(proposal.sha, loss)]


def _distrust(bench: Bench, proposal: Proposal, known: _Known, may_promote: Callable[[str], bool]) -> list[str]:
    """Why good numbers would not be enough: where the code ran, and what the baseline under other names showed.

    Trainings of an earlier verification are not done again, so its containment counts as well.
    """
    found: list[str] = []
    earlier = (verdict.containment for verdict in known.earlier if verdict.sha == proposal.sha)
    places = [bench.lab.containment, *known.scores.places, *earlier]
    bad = next((place for place in places if not may_promote(place)), None)
    if bad is not None:
        found.append(f"its code ran under the containment '{bad or 'unknown'}', under which nothing can be promoted")
    if known.calibrated is not None and known.calibrated.calibration.rate.low > ALPHA:
        calibration, is_cached = known.calibrated
        origin = f" of {day(calibration.at)}, made in another campaign," if is_cached else ""
        found.append(
            f"the A/A calibration{origin} promoted {calibration.promoted} of {calibration.trials} equal pairs, surely"
            f" more than {ALPHA:.0%}"
        )
    return found
