"""A campaign made of arithmetic: no training, but the shape of a real one, at any size and always the same.

For tests, for measuring stores and reports, and for looking at figures without waiting for trainings.
"""

from random import Random

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import (
    Crashed,
    Diverged,
    Measured,
    Outcome,
    Rejected,
    StoppedEarly,
    Suspicious,
    TimedOut,
)
from asi_arch.domain.profile import StageName
from asi_arch.domain.verdict import BlindComparison, Comparison, Interval, VaultLook, Verdict
from asi_arch.search.fitness import Fitness
from asi_arch.search.sampling import Sampler, Schedule
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal

_QUALITY = {"delta_net": (1.665, 0.74), "linear_attention": (2.2, 0.31), "gated_delta_net": (1.607, 0.66)}
_OTHER_QUALITY = (1.70, 0.52)
_FIRST, _SECOND = ("Delta", "Gated", "Path", "Slow", "Spectral", "Twin", "Echo", "Ridge"), ("Net", "Mixer", "Flow")


def synthetic_store(experiments: int, *, seed: int = 0) -> FakeStore:
    """A store with `experiments` finished experiments, chosen by the real schedule, sampler and fitness."""
    return SyntheticCampaign(seed).run(experiments)


class SyntheticCampaign:
    """Children resemble their parents, with luck; some are rejected, crash or are stopped."""

    def __init__(self, seed: int) -> None:
        profile = make_profile()
        self._rng = Random(seed)
        self._search, self._spec = profile.search, profile.fitness
        self._schedule, self._sampler = Schedule(profile.search), Sampler(profile.search)
        self._quality: dict[int, tuple[float, float]] = {}
        self.store = FakeStore()
        self.store.create(make_campaign(profile, seed=seed))

    def run(self, experiments: int) -> FakeStore:
        """Record that many and fill in the fitness."""
        for index in range(experiments):
            self._turn(index)
        return self.store

    def _turn(self, index: int) -> None:
        name = self._schedule.baseline_at(index)
        proposal = make_proposal(name, author=Author.BASELINE) if name else self._invention(index)
        self._quality[index] = _QUALITY.get(name, _OTHER_QUALITY) if name else self._inherited(proposal)
        outcome = Measured() if name else self._outcome(index)
        self.store.propose(index, proposal)
        self._record(self._experiment(index, proposal, outcome))

    def _invention(self, index: int) -> Proposal:
        pool = self.store.pool(self._search.pool_size, self._schedule.snapshot(index))
        choice = self._sampler.choose(index, pool, list(self._schedule.baselines_below(index)), self._rng)
        name = f"{self._rng.choice(_FIRST)}{self._rng.choice(_SECOND)}{index}"
        return make_proposal(name, parent=choice.parent, references=choice.references)

    def _inherited(self, proposal: Proposal) -> tuple[float, float]:
        loss, recall = self._quality.get(-1 if proposal.parent is None else proposal.parent, _OTHER_QUALITY)
        loss += self._rng.gauss(0.004, 0.022) + (0.08 if self._rng.random() < 0.3 else 0.0)
        return max(1.545, loss), min(0.99, max(0.05, recall + self._rng.gauss(0, 0.06)))

    def _experiment(self, index: int, proposal: Proposal, outcome: Outcome) -> Experiment:
        loss, recall = self._quality[index]
        return make_experiment(
            index,
            proposal,
            language=[loss + self._rng.gauss(0, 0.01) for _ in range(2)],
            recall=[min(1.0, max(0.0, recall + self._rng.gauss(0, 0.03))) for _ in range(2)],
            outcome=outcome,
        )

    def _outcome(self, index: int) -> Outcome:
        loss, draw = self._quality[index][0], self._rng.random()
        if draw < 0.07:
            return Rejected(check="causality", reason="the output at step 31 changes with the input at step 32")
        if draw < 0.10:
            return Crashed(stage=StageName.LANGUAGE, reason="RuntimeError: shape mismatch, 32 against 64")
        if draw < 0.12:
            return Diverged(stage=StageName.LANGUAGE, step=140)
        if draw < 0.13:
            return TimedOut(stage=StageName.LANGUAGE, step=90, used_s=76.0, limit_s=75.0)
        if draw < 0.14:
            return Suspicious(stage=StageName.LANGUAGE, step=200, loss_nats=1.2, baseline_loss_nats=1.9)
        if loss > 1.72 and draw < 0.8:
            return StoppedEarly(
                stage=StageName.LANGUAGE, step=200, loss_nats=loss + 0.2, baseline_loss_nats=1.86, margin=0.05
            )
        return Measured()

    def _record(self, experiment: Experiment) -> None:
        self.store.record(experiment, None)
        summaries = {s.name: s for s in self.store.summaries(2 * len(self._search.baselines))}
        reference, floor = summaries.get(self._search.baselines[0]), summaries.get(self._search.recall_floor)
        if reference is None or floor is None:
            return
        fitness = Fitness(self._spec, reference, floor)
        fresh = [s for s in self.store.summaries() if s.fitness is None] if experiment.index < 8 else None
        targets = fresh if fresh is not None else [experiment.summary()]
        self.store.set_fitness({s.index: fitness.of(s) for s in targets})


def add_verdict(store: FakeStore, index: int) -> Verdict:
    """A verification of experiment `index` with four fresh seeds: better in loss, a tie in recall."""
    experiment = store.experiment(index)
    assert experiment is not None, f"experiment {index} is not in the store"
    comparisons = (
        _comparison("delta_net", "language loss", -0.041, 0.018),
        _comparison("delta_net", "recall accuracy", 0.012, 0.060),
    )
    verdict = Verdict(
        sha=experiment.proposal.sha,
        index=index,
        protocol=experiment.protocol,
        comparisons=comparisons,
        statement="language loss better than delta_net by 0.041 ± 0.018 nats (95%), p = 0.005, 4 fresh seeds",
        e_value=6.2,
        anytime_p=0.16,
        vault=VaultLook(seeds=comparisons[0].seeds, comparisons=tuple(map(_blind, comparisons))),
        vault_looks=1 + max((verdict.vault_looks for verdict in store.verdicts()), default=0),
        at=1_800_100_000.0,
    )
    store.save_verdict(verdict)
    store.append(EventKind.CLOSED)
    return verdict


def _blind(comparison: Comparison) -> BlindComparison:
    """The same difference in the vault."""
    return BlindComparison(
        baseline=comparison.baseline,
        quantity=comparison.quantity,
        difference=comparison.difference,
        positions=2048,
        documents=21,
    )


def _comparison(baseline: str, quantity: str, estimate: float, margin: float) -> Comparison:
    return Comparison(
        baseline=baseline,
        quantity=quantity,
        seeds=(1000, 1001, 1002, 1003),
        difference=Interval(estimate=estimate, low=estimate - margin, high=estimate + margin),
        p_value=0.005 if abs(estimate) > margin else 0.56,
        candidate_mean=1.62,
        baseline_mean=1.62 - estimate,
        differences=(estimate,) * 4,
    )
