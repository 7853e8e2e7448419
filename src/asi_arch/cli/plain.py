"""One line per event: for logs, pipes and `--plain`."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from asi_arch.cli.board import Board, clock_text, closing_text, idea, loss_text, number_text, result_text
from asi_arch.engine.bench import Bench
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Proposed, Recorded, Repaired, Said, StageChanged, Trained


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
    def showing(self, bench: Bench, limits: Limits) -> Generator[None]:
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
            self._print(f"#{notice.index} {notice.proposal.name}{parent}: {idea(notice.proposal)}")
        elif isinstance(notice, Repaired):
            self._print(f"#{notice.index} repaired: {notice.proposal.repairs[-1].cause}")
        elif isinstance(notice, StageChanged):
            self._print(f"#{notice.index} {notice.stage}")
        elif isinstance(notice, Trained):
            self._trained(notice)
        elif isinstance(notice, Said):
            self._print(notice.text)
        elif isinstance(notice, Recorded):
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
