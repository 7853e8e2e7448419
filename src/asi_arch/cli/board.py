"""What is known while a campaign runs, fed with notices; and the words and colours for it."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path

from rich.text import Text

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import Progress
from asi_arch.domain.profile import StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Proposed, Recorded, Repaired, Rescored, Said, StageChanged, Trained

RESULT_STYLES = {
    "measured": "green",
    "rejected": "yellow",
    "stopped_early": "bright_black",
    "crashed": "red",
    "diverged": "red",
    "timed_out": "red",
    "suspicious": "magenta",
    "leaking": "magenta",
}


class Progressing:
    """An experiment in flight."""

    def __init__(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self.stage = "waiting"
        self.runs: dict[RunKey, tuple[Progress, float | None]] = {}

    def enter(self, stage: str) -> None:
        """A new stage starts with no runs."""
        self.stage = stage
        self.runs = {}


class Board:
    """The state behind both displays, fed with notices."""

    def __init__(self) -> None:
        self.active: dict[int, Progressing] = {}
        self.recorded: deque[tuple[Experiment, float | None]] = deque(maxlen=12)
        self.best: tuple[float, Experiment] | None = None
        self._invented: dict[int, Experiment] = {}
        self.reference_loss: float | None = None
        self.done = 0
        self.walls: list[float] = []
        self.message = ""

    def load(self, bench: Bench) -> None:
        """Continue from what the store holds."""
        summaries = bench.store.summaries()
        self.done = len(summaries)
        invented = [s for s in summaries if s.fitness is not None and s.author is not Author.BASELINE]
        if invented:
            top = max(invented, key=lambda s: (s.fitness or 0.0, -s.index))
            experiment = bench.store.experiment(top.index)
            if experiment is not None:
                self.best = (top.fitness or 0.0, experiment)
        else:
            waiting = (s.index for s in summaries if s.is_measured and s.author is not Author.BASELINE)
            found = ((index, bench.store.experiment(index)) for index in waiting)
            self._invented = {index: experiment for index, experiment in found if experiment is not None}
        if summaries:
            self.reference_loss = summaries[0].language_loss

    def take(self, notice: Notice) -> None:
        """Follow one notice."""
        if isinstance(notice, Proposed):
            self.active[notice.index] = Progressing(notice.proposal)
        elif isinstance(notice, Repaired):
            self.message = f"#{notice.index} repaired: {notice.proposal.repairs[-1].cause}"
        elif isinstance(notice, StageChanged):
            self.active[notice.index].enter(notice.stage)
        elif isinstance(notice, Trained):
            self.active[notice.index].runs[notice.key] = (notice.progress, notice.baseline_loss)
        elif isinstance(notice, Said):
            self.message = notice.text
        elif isinstance(notice, Rescored):
            self._rescore(notice.fitness)
        else:
            self._finish(notice)

    def _finish(self, notice: Recorded) -> None:
        experiment, fitness = notice.experiment, notice.fitness
        self.active.pop(experiment.index, None)
        self.recorded.append((experiment, fitness))
        self.walls.append(experiment.cost.wall_s)
        self.done = notice.done
        if experiment.index == 0:
            self.reference_loss = experiment.mean_loss(StageName.LANGUAGE)
        if experiment.proposal.author is not Author.BASELINE:
            self._invented[experiment.index] = experiment
            self._consider(experiment, fitness)

    def _rescore(self, fitness: Mapping[int, float | None]) -> None:
        """The best so far may be another one by the new numbers."""
        if self.best is not None and self.best[1].index in fitness:
            self.best = None
        for index, value in fitness.items():
            if index in self._invented:
                self._consider(self._invented[index], value)

    def _consider(self, experiment: Experiment, fitness: float | None) -> None:
        if fitness is not None and (self.best is None or fitness > self.best[0]):
            self.best = (fitness, experiment)

    def eta_s(self, limits: Limits, slots: int) -> float | None:
        """Seconds until the number of experiments is reached, from the mean time of this session's; None if unknown."""
        if limits.experiments is None or not self.walls:
            return None
        return (limits.experiments - self.done) * sum(self.walls) / len(self.walls) / slots


def clock_text(seconds: float) -> str:
    """'1:02:03' or '4:05'."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def loss_text(experiment: Experiment, reference: float | None) -> Text:
    """Language loss with its difference to the reference."""
    loss = experiment.mean_loss(StageName.LANGUAGE)
    if loss is None:
        return Text("-", style="dim")
    text = Text(f"{loss:.3f}")
    if reference is not None and experiment.index:
        text.append(f" {loss - reference:+.3f}", style="green" if loss < reference else "red")
    return text


def idea(proposal: Proposal) -> str:
    """What is new, in a sentence."""
    text = " ".join((proposal.change or proposal.motivation).split())
    sentence, stop, _ = text.partition(". ")
    return sentence + stop.strip()


def number_text(value: float | None) -> str:
    """Three decimals, or a dash for what is missing."""
    return "-" if value is None else f"{value:.3f}"


def result_text(experiment: Experiment) -> Text:
    """The outcome in a word, with the failed check."""
    outcome = experiment.outcome
    word = outcome.kind.replace("_", " ")
    if outcome.kind == "rejected":
        word += f": {outcome.check}"
    return Text(word, style=RESULT_STYLES[outcome.kind])


def closing_text(board: Board, state: Path) -> str:
    """What was reached and what to do next."""
    lines = [f"{'1 experiment is' if board.done == 1 else f'{board.done:,} experiments are'} stored in {state}."]
    if board.best is not None:
        fitness, experiment = board.best
        name = f"#{experiment.index} {experiment.proposal.name}"
        lines.append(f"Fittest invention: {name} ({fitness:.3f}), by the screening seeds only.")
        lines.append(f"Next: asi-arch verify best --state {state}   asi-arch report --state {state}")
    return "\n".join(lines)
