"""What `asi-arch run` shows: a live table on a terminal, one line per event elsewhere."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import Progress
from asi_arch.domain.profile import StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import Limits
from asi_arch.engine.notices import Notice, Proposed, Recorded, Said, StageChanged, Trained

RESULT_STYLES = {
    "measured": "green",
    "rejected": "yellow",
    "stopped_early": "bright_black",
    "crashed": "red",
    "diverged": "red",
    "timed_out": "red",
    "suspicious": "magenta",
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
        if summaries:
            self.reference_loss = summaries[0].language_loss

    def take(self, notice: Notice) -> None:
        """Follow one notice."""
        if isinstance(notice, Proposed):
            self.active[notice.index] = Progressing(notice.proposal)
        elif isinstance(notice, StageChanged):
            self.active[notice.index].enter(notice.stage)
        elif isinstance(notice, Trained):
            self.active[notice.index].runs[notice.key] = (notice.progress, notice.baseline_loss)
        elif isinstance(notice, Said):
            self.message = notice.text
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
        is_invented = experiment.proposal.author is not Author.BASELINE
        if is_invented and fitness is not None and (self.best is None or fitness > self.best[0]):
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
        return Text("–", style="dim")
    text = Text(f"{loss:.3f}")
    if reference is not None and experiment.index:
        text.append(f" {loss - reference:+.3f}", style="green" if loss < reference else "red")
    return text


def number_text(value: float | None) -> str:
    """Three decimals, or a dash for what is missing."""
    return "–" if value is None else f"{value:.3f}"


def result_text(experiment: Experiment) -> Text:
    """The outcome in a word, with the failed check."""
    outcome = experiment.outcome
    word = outcome.kind.replace("_", " ")
    if outcome.kind == "rejected":
        word += f": {outcome.check}"
    return Text(word, style=RESULT_STYLES[outcome.kind])


class PlainLines:
    """One line per event: for logs, pipes and `--plain`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = Board()
        self._reported: dict[tuple[int, str], float] = {}
        self._started = time.monotonic()

    def opening(self, state: Path) -> None:
        """Before the slow part of the start."""
        self._print(f"opening {state}: data and warm parent")

    @contextmanager
    def showing(self, bench: Bench, limits: Limits) -> Iterator[None]:
        """While the loop runs."""
        self._board.load(bench)
        profile = bench.campaign.profile
        self._print(
            f"profile {profile.name}, seed {bench.campaign.seed}, policy {profile.search.policy.value},"
            f" containment {bench.lab.containment}, {bench.campaign.data_description}; {self._board.done} done"
        )
        yield

    def closing(self, state: Path) -> None:
        """After an orderly end."""
        self._print(closing_text(self._board, state))

    def say(self, text: str) -> None:
        """A sentence for the user."""
        self._print(text)

    def listen(self, notice: Notice) -> None:
        """Print what is worth a line."""
        self._board.take(notice)
        if isinstance(notice, Proposed):
            parent = "" if notice.proposal.parent is None else f" from {notice.proposal.parent}"
            self._print(
                f"#{notice.index} {notice.proposal.name}{parent}: {notice.proposal.change or notice.proposal.motivation.splitlines()[0]}"
            )
        elif isinstance(notice, StageChanged):
            self._print(f"#{notice.index} {notice.stage}")
        elif isinstance(notice, Trained):
            self._trained(notice)
        elif isinstance(notice, Said):
            self._print(notice.text)
        else:
            experiment = notice.experiment
            loss = loss_text(experiment, self._board.reference_loss).plain
            self._print(
                f"#{experiment.index} {result_text(experiment).plain}: language {loss}, recall"
                f" {number_text(experiment.mean_accuracy())}, fitness {number_text(notice.fitness)},"
                f" {experiment.cost.wall_s:.0f} s"
            )

    def _trained(self, notice: Trained) -> None:
        """A line every ten seconds and run."""
        key, now = (notice.index, f"{notice.key.stage.value}{notice.key.seed}"), time.monotonic()
        if now - self._reported.setdefault(key, now) < 10:
            return
        self._reported[key] = now
        progress = notice.progress
        baseline = "" if notice.baseline_loss is None else f" (baseline {notice.baseline_loss:.3f})"
        self._print(
            f"#{notice.index} {notice.key.stage.value} seed {notice.key.seed}: step {progress.step}/{progress.steps},"
            f" loss {progress.loss_nats:.3f}{baseline}"
        )

    def _print(self, text: str) -> None:
        self._console.print(
            f"[{clock_text(time.monotonic() - self._started)}] {text}", markup=False, highlight=False, soft_wrap=True
        )


class LiveTable:
    """Header, what is running, what was found last, and the best so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = Board()
        self._started = time.monotonic()
        self._header = ""
        self._limits = Limits()
        self._slots = 1

    def opening(self, state: Path) -> None:
        """Before the slow part of the start."""
        self._console.print(f"Opening {state}: data and warm parent ...")

    @contextmanager
    def showing(self, bench: Bench, limits: Limits) -> Iterator[None]:
        """While the loop runs."""
        self._board.load(bench)
        self._limits = limits
        profile = bench.campaign.profile
        self._header = (
            f"[bold]asi-arch[/bold]  profile {profile.name} · seed {bench.campaign.seed} · policy {profile.search.policy.value}"
            f" · containment {bench.lab.containment}\n[dim]{bench.campaign.data_description}[/dim]"
        )
        with Live(console=self._console, get_renderable=self._render, refresh_per_second=4, transient=False):
            yield

    def closing(self, state: Path) -> None:
        """After an orderly end."""
        self._console.print(closing_text(self._board, state))

    def say(self, text: str) -> None:
        """A sentence for the user, below the table."""
        self._board.message = text

    def listen(self, notice: Notice) -> None:
        """Follow a notice; the next refresh shows it."""
        self._board.take(notice)

    def _render(self) -> Group:
        return Group(Text.from_markup(self._header), self._running(), self._finished(), self._footer())

    def _running(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for index, item in sorted(self._board.active.items()):
            parent = "" if item.proposal.parent is None else f" ← #{item.proposal.parent}"
            table.add_row(
                Text(f"#{index} {item.proposal.name}{parent}", style="bold cyan"), Text(item.stage, style="cyan")
            )
            idea = item.proposal.change or item.proposal.motivation.splitlines()[0]
            table.add_row(Text(idea, style="italic"), "")
            for key, (progress, baseline) in sorted(item.runs.items(), key=lambda pair: pair[0].seed):
                table.add_row(_bar(key, progress), _loss_against(progress, baseline))
        return table

    def _finished(self) -> Table:
        table = Table(expand=False, header_style="bold", border_style="bright_black")
        for name, justify in (
            ("#", "right"),
            ("parent", "right"),
            ("idea", "left"),
            ("result", "left"),
            ("language loss", "left"),
            ("recall", "right"),
            ("fitness", "right"),
            ("time", "right"),
        ):
            table.add_column(name, justify=justify, no_wrap=name not in ("idea", "result"))  # pyright: ignore[reportArgumentType]
        for experiment, fitness in self._board.recorded:
            parent = experiment.proposal.parent
            table.add_row(
                str(experiment.index),
                "" if parent is None else str(parent),
                experiment.proposal.name,
                result_text(experiment),
                loss_text(experiment, self._board.reference_loss),
                number_text(experiment.mean_accuracy()),
                number_text(fitness),
                clock_text(experiment.cost.wall_s),
            )
        return table

    def _footer(self) -> Text:
        board = self._board
        elapsed = clock_text(time.monotonic() - self._started)
        goal = "" if self._limits.experiments is None else f" of {self._limits.experiments}"
        parts = [f"{board.done}{goal} experiments · {elapsed}"]
        if (eta := board.eta_s(self._limits, self._slots)) is not None:
            parts.append(f"about {clock_text(eta)} to go")
        if board.best is not None:
            fitness, experiment = board.best
            parts.append(f"pool best #{experiment.index} {experiment.proposal.name}, fitness {fitness:.3f}")
        text = Text(" · ".join(parts), style="dim")
        if board.message:
            text.append(f"\n{board.message}", style="yellow")
        return text


def _bar(key: RunKey, progress: Progress) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(
        f"  seed {key.seed}",
        ProgressBar(total=progress.steps, completed=progress.step, width=40),
        f"{progress.step}/{progress.steps}",
    )
    return row


def _loss_against(progress: Progress, baseline: float | None) -> Text:
    text = Text(f"loss {progress.loss_nats:.3f}")
    if baseline is not None:
        text.append(f"  baseline {baseline:.3f}", style="dim")
    return text.append(f"  {progress.tokens_per_s / 1000:.1f}k tokens/s", style="dim")


def closing_text(board: Board, state: Path) -> str:
    """What was reached and what to do next."""
    lines = [f"{board.done} experiments are stored in {state}."]
    if board.best is not None:
        fitness, experiment = board.best
        lines.append(
            f"Fittest invention: #{experiment.index} {experiment.proposal.name} ({fitness:.3f}), measured on the screening seeds only."
        )
        lines.append(f"Next: asi-arch verify best --state {state}   asi-arch report --state {state}")
    return "\n".join(lines)
