"""One agenda for every snapshot: taken from the events where it is there, else made and stored as one.

It depends on the experiments below its snapshot only, so that a resumed campaign and any number of workers agree.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from asi_arch.domain.agenda import Agenda, Standing, in_force, standings
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.experiment import MQAR, Experiment, Summary
from asi_arch.domain.outcome import StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.domain.reflection import Hindsight, Result
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import Said
from asi_arch.search.fitness import Fitness

_NO_MARK = 0.5
"""In the place of the judge's score, which is left out."""


class Agendas:
    """The agendas of a campaign. One that was rolled back is not made again, and the one before it is in force."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._known: dict[int, Standing] = {}
        if bench.reflector is not None:
            self._known = {standing.agenda.snapshot: standing for standing in standings(bench.store.events())}

    async def at(self, snapshot: int, fitness: Fitness | None, noise_nats: Callable[[], float | None]) -> Agenda | None:
        """The agenda for what is proposed at this snapshot; None before the first, and where nobody reflects.

        Everything below the snapshot must be finished. `fitness` and `noise_nats` are the snapshot's.
        """
        reflector, store = self._bench.reflector, self._bench.store
        if reflector is None or snapshot == 0 or fitness is None:
            return None
        if snapshot not in self._known:
            experiments = [found for i in range(snapshot) if (found := store.experiment(i)) is not None]
            results = results_of(experiments, fitness)
            batch = self._bench.campaign.profile.search.update_every
            agenda = await reflector.reflect(Hindsight(snapshot, batch, experiments, results, noise_nats()))
            event = store.append(EventKind.REFLECTED, None, agenda.model_dump(mode="json"))
            self._known[snapshot] = Standing(agenda, event.at)
            self._bench.listen(Said(f"agenda from #{snapshot} on: {agenda.sentences[0]}"))
        return in_force(list(self._known.values()), snapshot)


def results_of(experiments: Sequence[Experiment], fitness: Fitness) -> dict[int, Result]:
    """What the search makes of each experiment, without its judge; nothing of a leak or of what was not measured.

    What was stopped early counts with a guess: left out, a mechanism that is always stopped would look harmless.
    """
    by_index = {experiment.index: experiment for experiment in experiments}
    found: dict[int, Result] = {}
    for experiment in experiments:
        summary = experiment.summary()
        if summary.is_measured:
            result = _result(summary, fitness)
            if result is not None:
                found[experiment.index] = result._replace(gain_error=_gain_error(experiment, summary, fitness))
        elif (guess := _guess(experiment, by_index)) and (result := _result(guess, fitness)):
            found[experiment.index] = result._replace(is_guessed=True)
    return found


def _result(summary: Summary, fitness: Fitness) -> Result | None:
    parts = fitness.parts(summary._replace(judge=_NO_MARK))
    if parts.loss is None or parts.recall is None or summary.language_loss is None or summary.recall_accuracy is None:
        return None
    return Result((parts.loss + parts.recall) / 2, summary.language_loss, summary.recall_accuracy)


def _guess(experiment: Experiment, by_index: Mapping[int, Experiment]) -> Summary | None:
    """As if it had kept its distance to the reference, and recalled as much as its parent."""
    outcome, reference = experiment.outcome, by_index.get(0)
    parent = by_index.get(-1 if experiment.proposal.parent is None else experiment.proposal.parent)
    if not isinstance(outcome, StoppedEarly) or reference is None or parent is None:
        return None
    loss, relative = reference.mean_loss(StageName.LANGUAGE), parent.summary()
    if outcome.stage is not StageName.LANGUAGE or loss is None or not relative.is_measured:
        return None
    return experiment.summary()._replace(
        outcome=relative.outcome,
        language_loss=loss + outcome.loss_nats - outcome.baseline_loss_nats,
        recall_accuracy=relative.recall_accuracy,
        mqar_accuracy=relative.mqar_accuracy,
    )


def _gain_error(experiment: Experiment, summary: Summary, fitness: Fitness) -> float | None:
    """Standard error of the mean over the seeds, each valued by itself; None for fewer than two."""
    scores = {(run.key.stage, run.key.seed): run.score for run in experiment.runs if run.score is not None}
    gains: list[float] = []
    for seed in sorted({seed for _, seed in scores}):
        language, recall = scores.get((StageName.LANGUAGE, seed)), scores.get((StageName.RECALL, seed))
        if language is None or recall is None or MQAR not in recall.groups:
            continue
        mqar = recall.groups[MQAR].accuracy
        one = summary._replace(language_loss=language.loss_nats, recall_accuracy=recall.accuracy, mqar_accuracy=mqar)
        if (result := _result(one, fitness)) is not None:
            gains.append(result.gain)
    if len(gains) < 2:
        return None
    centre = sum(gains) / len(gains)
    return math.sqrt(sum((gain - centre) ** 2 for gain in gains) / (len(gains) - 1) / len(gains))
