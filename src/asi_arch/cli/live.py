"""The live table of `asi-arch run` on a terminal."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from asi_arch.cli.board import Board, clock_text, closing_text, idea, loss_text, number_text, result_text
from asi_arch.domain.outcome import RunKey
from asi_arch.domain.ports import Progress
from asi_arch.engine.bench import Bench
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice


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
    def showing(self, bench: Bench, limits: Limits) -> Generator[None]:
        """While the loop runs."""
        self._board.load(bench)
        self._limits = limits
        profile = bench.campaign.profile
        self._header = (
            f"[bold]asi-arch[/bold]  profile {profile.name} · seed {bench.campaign.seed}"
            f" · policy {profile.search.policy.value} · containment {bench.lab.containment}\n"
            f"[dim]{bench.campaign.data_description}[/dim]"
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
            table.add_row(Text(idea(item.proposal), style="italic"), "")
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
