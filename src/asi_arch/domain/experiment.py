"""An experiment: proposal, checks, runs, outcome, judgement and analysis, never changed once it is recorded."""

from typing import Literal, NamedTuple

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.outcome import CheckReport, Outcome, Run
from asi_arch.domain.profile import StageName
from asi_arch.domain.published import Published
from asi_arch.domain.record import Record

MQAR = "multi_query_recall"
"""The synthetic task that carries the veto."""


class Mark(Record):
    """One line of the judge's rubric, between 0 and 1, with the reason in a sentence."""

    name: str
    value: float
    weight: float
    reason: str
    samples: tuple[float, ...] = ()
    """What a model gave, each time it was asked; `value` is their median. Empty where the value was computed."""


class Judgement(Record):
    """Design quality between 0 and 1: the weighted mean of its marks, computed in code."""

    judge: str
    marks: tuple[Mark, ...]
    score: float
    agreement: float | None = None
    """One minus the samples' mean absolute deviation from their median; None where nobody was asked twice."""
    note: str = ""
    """Why another judge than the one that was asked for had to mark it."""


class Analysis(Record):
    """What a run taught, in five parts. Results and expectation are always derived from the numbers, in code."""

    design: str
    results: str
    expectation: str
    mechanism: str
    lessons: str
    findings: tuple[str, ...] = ()
    """What was observed, in general terms, as one would search the literature for it; empty without a model."""
    author: Literal["numbers", "model"] = "numbers"
    """Who wrote design, mechanism and lessons: code from the numbers alone, or a language model that was given them."""
    note: str = ""
    """Why a model that was asked has no part in it; empty where there is nothing to say."""


class Cost(Record):
    """Where the time of one experiment went, in seconds; CPU time is that of the sandboxed children."""

    check_cpu_s: float = 0.0
    train_cpu_s: float = 0.0
    score_cpu_s: float = 0.0
    propose_s: float = 0.0
    wall_s: float = 0.0

    @property
    def cpu_s(self) -> float:
        """Of all sandboxed children."""
        return self.check_cpu_s + self.train_cpu_s + self.score_cpu_s


class Experiment(Record):
    """The permanent record of one turn of the loop."""

    index: int
    proposal: Proposal
    protocol: str
    containment: str
    """How the candidate's processes were contained, e.g. 'process'."""
    checks: CheckReport | None = None
    runs: tuple[Run, ...] = ()
    outcome: Outcome
    judgement: Judgement | None = None
    analysis: Analysis | None = None
    cost: Cost = Cost()
    started_at: float = 0.0
    """Unix time."""
    finished_at: float = 0.0
    published: Published | None = None
    """What others have measured of it; None but for an experiment of an imported campaign."""

    def mean_loss(self, stage: StageName) -> float | None:
        """Mean held-out loss over the seeds; None where nothing was scored."""
        values = [run.score.loss_nats for run in self.runs if run.key.stage is stage and run.score is not None]
        return sum(values) / len(values) if values else None

    def mean_accuracy(self, group: str | None = None) -> float | None:
        """Mean recall accuracy over the seeds, of one synthetic task or of all of them."""
        scores = [run.score for run in self.runs if run.key.stage is StageName.RECALL and run.score is not None]
        if group is None:
            values = [score.accuracy for score in scores]
        else:
            values = [score.groups[group].accuracy for score in scores if group in score.groups]
        return sum(values) / len(values) if values else None

    def summary(self) -> "Summary":
        """The line of this experiment in the pool, without its fitness."""
        return Summary(
            index=self.index,
            sha=self.proposal.sha,
            parent=self.proposal.parent,
            name=self.proposal.name,
            author=self.proposal.author,
            outcome=self.outcome.kind,
            language_loss=self.mean_loss(StageName.LANGUAGE),
            recall_accuracy=self.mean_accuracy(),
            mqar_accuracy=self.mean_accuracy(MQAR),
            judge=self.judgement.score if self.judgement else None,
        )


class Summary(NamedTuple):
    """What search needs to know about an experiment. Missing values are None and never score."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    sha: str
    parent: int | None
    name: str
    author: Author
    outcome: str
    language_loss: float | None
    recall_accuracy: float | None
    mqar_accuracy: float | None
    judge: float | None
    fitness: float | None = None

    @property
    def is_measured(self) -> bool:
        """Trained to the end with every number that fitness needs."""
        return self.outcome == "measured" and None not in (self.language_loss, self.recall_accuracy, self.mqar_accuracy)
