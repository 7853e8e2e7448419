"""A campaign in one pass: a light line for every experiment, without weights, curves or code."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import StoreError
from asi_arch.domain.experiment import Cost, Experiment, Summary
from asi_arch.domain.novelty import Novelty
from asi_arch.domain.outcome import Outcome, StageScore
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.domain.provenance import Provenance, provenances
from asi_arch.domain.published import Published
from asi_arch.domain.review import Review
from asi_arch.domain.verdict import Verdict
from asi_arch.report.standing import Yardstick, shown_names, yardstick
from asi_arch.search.fitness import FitnessParts
from asi_arch.stats.paired import Noise, pooled_noise


class Line(NamedTuple):
    """What tables and figures need of one experiment."""

    summary: Summary
    parts: FitnessParts | None
    """None as long as a baseline that fitness is relative to has not been measured."""
    language: tuple[float, ...]
    """Held-out loss of every seed."""
    recall: tuple[float, ...]
    """Held-out accuracy of every seed."""
    outcome: Outcome
    cost: Cost
    finished_at: float
    is_audited: bool
    """Whether an early stop of it was let through."""
    repairs: int
    """How often its program was mended."""
    mechanisms: tuple[str, ...]
    """What it is made of, by name: as was found out afterwards, else in its author's words."""
    agreement: float | None
    """Of the samples of a model that judged it."""
    is_unmarked: bool
    """Whether a model was asked to judge it and gave no usable marks."""
    novelty: Novelty | None
    """None where nobody asked whether it is new."""
    provenance: Provenance | None
    """None where nobody asked where it comes from."""
    review: Review | None = None
    """None where nobody read its code against its promise."""
    published: Published | None = None
    """What others have measured of it, in an imported campaign."""
    has_program: bool = True
    """False where an imported design came without its code."""

    @property
    def is_baseline(self) -> bool:
        """Not invented."""
        return self.summary.author is Author.BASELINE


class Digest(NamedTuple):
    """A whole campaign, light enough to hold thousands of experiments."""

    campaign: Campaign
    lines: tuple[Line, ...]
    """By index."""
    verdicts: tuple[Verdict, ...]
    language_noise: Noise | None
    recall_noise: Noise | None
    yardstick: Yardstick

    @property
    def candidates(self) -> list[Line]:
        """All but the baselines."""
        return [line for line in self.lines if not line.is_baseline]

    @property
    def baselines(self) -> list[Line]:
        """The baselines, measured or not, in the profile's order."""
        return [line for line in self.lines if line.is_baseline]

    @property
    def baseline_names(self) -> list[str]:
        """Of all baselines, as in tables; one whose turn has not come is called as in the profile."""
        return list(shown_names(self.campaign, {line.summary.index: line.summary for line in self.lines}).values())

    @property
    def reference(self) -> Line | None:
        """The baseline that everything is compared with, once it is measured."""
        return next((line for line in self.lines if line.summary.index == 0 and line.summary.is_measured), None)

    @property
    def vault_looks(self) -> int:
        """How often the vault was opened."""
        return max((verdict.vault_looks for verdict in self.verdicts), default=0)

    @property
    def best(self) -> Line | None:
        """The fittest candidate; ties go to the older."""
        scored = [line for line in self.candidates if line.summary.fitness is not None]
        return max(scored, key=lambda line: (line.summary.fitness or 0.0, -line.summary.index), default=None)

    @property
    def unscored(self) -> list[Line]:
        """Candidates that were measured and have no fitness, lowest language loss first."""
        found = [line for line in self.candidates if line.summary.is_measured and line.summary.fitness is None]
        return sorted(found, key=lambda line: (line.summary.language_loss or 0.0, line.summary.index))

    @property
    def outcomes(self) -> Counter[str]:
        """How often each outcome occurred among the candidates."""
        return Counter(line.summary.outcome for line in self.candidates)


def digest(store: Store) -> Digest:
    """Read a campaign. Raises `StoreError` for a store without one."""
    campaign = existing(store)
    summaries = {summary.index: summary for summary in store.summaries()}
    measure = yardstick(campaign, summaries)
    traced = provenances(store.events())
    lines = tuple(
        _line(e, summaries[e.index], measure, traced.get(e.index)) for e in store.experiments() if e.index in summaries
    )
    return Digest(
        campaign=campaign,
        lines=lines,
        verdicts=tuple(store.verdicts()),
        language_noise=pooled_noise(line.language for line in lines),
        recall_noise=pooled_noise(line.recall for line in lines),
        yardstick=measure,
    )


def existing(store: Store) -> Campaign:
    """The store's campaign. Raises `StoreError` when it has none."""
    campaign = store.campaign()
    if campaign is None:
        raise StoreError("this state folder holds no campaign yet; start one with 'asi-arch run'")
    return campaign


def seed_losses(experiment: Experiment) -> tuple[float, ...]:
    """Held-out language loss of every seed that was scored."""
    return tuple(score.loss_nats for score in _scores(experiment, StageName.LANGUAGE))


def seed_accuracies(experiment: Experiment) -> tuple[float, ...]:
    """Held-out recall accuracy of every seed that was scored."""
    return tuple(score.accuracy for score in _scores(experiment, StageName.RECALL))


def pools(lines: Sequence[Line], campaign: Campaign) -> list[tuple[int, list[Line]]]:
    """The pool at every snapshot that the campaign reached, with the snapshot's index."""
    search = campaign.profile.search
    end = max((line.summary.index for line in lines), default=-1) + 1
    found: list[tuple[int, list[Line]]] = []
    for snapshot in range(search.cold_start, end + 1, search.update_every):
        scored = [line for line in lines if line.summary.fitness is not None and line.summary.index < snapshot]
        scored.sort(key=lambda line: (-(line.summary.fitness or 0.0), line.summary.index))
        found.append((snapshot, scored[: search.pool_size]))
    return [(snapshot, pool) for snapshot, pool in found if pool]


def _scores(experiment: Experiment, stage: StageName) -> list[StageScore]:
    return [run.score for run in experiment.runs if run.key.stage is stage and run.score is not None]


def _line(experiment: Experiment, summary: Summary, measure: Yardstick, provenance: Provenance | None) -> Line:
    judgement, mechanisms = experiment.judgement, experiment.proposal.mechanisms
    return Line(
        summary=summary,
        parts=measure.parts(summary),
        language=seed_losses(experiment),
        recall=seed_accuracies(experiment),
        outcome=experiment.outcome,
        cost=experiment.cost,
        finished_at=experiment.finished_at,
        is_audited=any(run.would_stop is not None for run in experiment.runs),
        repairs=len(experiment.proposal.repairs),
        mechanisms=tuple(c.name for c in provenance.components) if provenance else mechanisms,
        agreement=judgement.agreement if judgement else None,
        is_unmarked=bool(judgement and judgement.note),
        novelty=experiment.proposal.novelty,
        review=experiment.proposal.review,
        provenance=provenance,
        published=experiment.published,
        has_program=bool(experiment.proposal.source),
    )
