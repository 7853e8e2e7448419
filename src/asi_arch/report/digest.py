"""A campaign in one pass: a light line for every experiment, without weights, curves or code."""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign, Event, EventKind
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

TOLD = (EventKind.RECORDED, EventKind.SCORED, EventKind.VERIFIED, EventKind.TRACED)
"""Events after which a digest is another."""


def _nobody(_: int) -> None:
    """Is told."""


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
    model_parameters: int | None = None
    """Of the whole model, counted by the checks."""
    mixer_parameters: int | None = None
    """Of one mixer, counted by the checks."""
    unexplained_s: float | None = None
    """Of the wall time, what was neither checks nor the slowest seed's training and scoring; see `Experiment.cost`."""
    published: Published | None = None
    """What others have measured of it; None but in an imported campaign."""
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
    last_event: int = 0
    """Number of the newest event that is in it."""

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
    def is_imported(self) -> bool:
        """Whether others made it: then its profile is a placeholder, and its fitness a score as published."""
        return self.campaign.origin is not None

    @property
    def reference(self) -> Line | None:
        """The baseline that everything is compared with, once it is measured."""
        if self.is_imported:
            return None
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


def digest(store: Store, before: Digest | None = None, done: Callable[[int], None] = _nobody) -> Digest:
    """Read a campaign, of a digest of `before` only what has come since. Raises `StoreError` for a store without one.

    The digest of `before` itself comes back where nothing has that is told in it. `done` is told after each experiment
    how many are read.
    """
    if before is not None:
        events = store.events(before.last_event, *TOLD)
        if not events:
            return before
        if not any(_moves_all(event, store) for event in events):
            return _grown(before, store, events, done)
    campaign, last = existing(store), store.last_event()
    summaries = {summary.index: summary for summary in store.summaries()}
    measure = yardstick(campaign, summaries)
    traced = provenances(store.events(before.last_event if before else 0, EventKind.TRACED))
    lines = {line.summary.index: _renewed(line, summaries, measure, traced) for line in before.lines} if before else {}
    for experiment in _unread(store, summaries, lines):
        lines[experiment.index] = _line(experiment, summaries[experiment.index], measure, traced.get(experiment.index))
        done(len(lines))
    ordered = tuple(lines[index] for index in sorted(lines))
    return Digest(
        campaign=campaign,
        lines=ordered,
        verdicts=tuple(store.verdicts()),
        language_noise=pooled_noise(line.language for line in ordered),
        recall_noise=pooled_noise(line.recall for line in ordered),
        yardstick=measure,
        last_event=last.number if last else 0,
    )


def _moves_all(event: Event, store: Store) -> bool:
    """Whether the fitness of others may be another after it."""
    found = None if event.experiment is None else store.summary(event.experiment)
    return event.kind is EventKind.SCORED or (found is not None and found.author is Author.BASELINE)


def _grown(before: Digest, store: Store, events: Sequence[Event], done: Callable[[int], None]) -> Digest:
    """By some experiments, verdicts and provenances; all other lines stay as they are."""
    lines = {line.summary.index: line for line in before.lines}
    traced = provenances(event for event in events if event.kind is EventKind.TRACED)
    for index in [event.experiment for event in events if event.kind is EventKind.RECORDED]:
        experiment = None if index is None else store.experiment(index)
        summary = None if index is None else store.summary(index)
        if experiment is not None and summary is not None:
            lines[summary.index] = _line(experiment, summary, before.yardstick, traced.get(summary.index))
            done(len(lines))
    for index in lines.keys() & traced.keys():
        lines[index] = lines[index]._replace(provenance=traced[index], mechanisms=_names(traced[index]))
    ordered = tuple(lines[index] for index in sorted(lines))
    return before._replace(
        lines=ordered,
        verdicts=tuple(store.verdicts()),
        language_noise=pooled_noise(line.language for line in ordered),
        recall_noise=pooled_noise(line.recall for line in ordered),
        last_event=events[-1].number,
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
    return fittest_at(lines, start=search.cold_start, every=search.update_every, size=search.pool_size)


def fittest_at(lines: Sequence[Line], *, start: int, every: int, size: int) -> list[tuple[int, list[Line]]]:
    """The `size` fittest below `start` and after every further `every`, best first; `lines` are sorted by index.

    One snapshot for each step up to the last experiment's number plus one; none where nothing has a fitness yet.
    """
    end = max((line.summary.index for line in lines), default=-1) + 1
    waiting = [line for line in lines if line.summary.fitness is not None][::-1]
    best: list[tuple[float, int, Line]] = []
    found: list[tuple[int, list[Line]]] = []
    for snapshot in range(start, end + 1, every):
        while waiting and waiting[-1].summary.index < snapshot:
            line = waiting.pop()
            insort(best, (-(line.summary.fitness or 0.0), line.summary.index, line))
            del best[size:]
        found.append((snapshot, [line for _, _, line in best]))
    return [(snapshot, pool) for snapshot, pool in found if pool]


def _scores(experiment: Experiment, stage: StageName) -> list[StageScore]:
    return [run.score for run in experiment.runs if run.key.stage is stage and run.score is not None]


def _unread(store: Store, summaries: Mapping[int, Summary], read: Mapping[int, Line]) -> Iterator[Experiment]:
    if not read:
        yield from (experiment for experiment in store.experiments() if experiment.index in summaries)
        return
    found = (store.experiment(index) for index in summaries if index not in read)
    yield from (experiment for experiment in found if experiment is not None)


def _renewed(
    line: Line, summaries: Mapping[int, Summary], measure: Yardstick, traced: Mapping[int, Provenance]
) -> Line:
    """With the fitness and the provenance that it has by now; all else of a finished experiment stays."""
    summary = summaries[line.summary.index]
    line = line._replace(summary=summary, parts=measure.parts(summary))
    provenance = traced.get(summary.index)
    return line if provenance is None else line._replace(provenance=provenance, mechanisms=_names(provenance))


def _names(provenance: Provenance) -> tuple[str, ...]:
    return tuple(component.name for component in provenance.components)


def _line(experiment: Experiment, summary: Summary, measure: Yardstick, provenance: Provenance | None) -> Line:
    judgement, mechanisms = experiment.judgement, experiment.proposal.mechanisms
    footprint = experiment.checks.footprint if experiment.checks else None
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
        mechanisms=_names(provenance) if provenance else mechanisms,
        agreement=judgement.agreement if judgement else None,
        is_unmarked=bool(judgement and judgement.note),
        novelty=experiment.proposal.novelty,
        review=experiment.proposal.review,
        provenance=provenance,
        model_parameters=footprint.model_parameters if footprint else None,
        mixer_parameters=footprint.parameters if footprint else None,
        unexplained_s=_unexplained_s(experiment),
        published=experiment.published,
        has_program=bool(experiment.proposal.source),
    )


def _unexplained_s(experiment: Experiment) -> float | None:
    """Wall time less the checks and, of each stage, the longest run; None where no wall time is on record.

    Seeds of a stage run side by side where there are workers: what is left is waiting for one, for a mind that judges
    or explains, and the attempts before a repair.
    """
    if experiment.cost.wall_s <= 0:
        return None
    checks, runs = experiment.checks, experiment.runs
    stages = (max((run.wall_s for run in runs if run.key.stage is stage), default=0.0) for stage in StageName)
    checked = (checks.wall_s or checks.cpu_s) if checks else 0.0
    return max(0.0, experiment.cost.wall_s - checked - sum(stages))
