"""`asi-arch verify`: the second look with its progress bars."""

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from asi_arch.app import baseline, opened_bench
from asi_arch.cli import options
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.errors import UserError
from asi_arch.domain.ports import Progress as Tick
from asi_arch.domain.verdict import Interval, VaultLook, Verdict
from asi_arch.engine.verify import Training, plan
from asi_arch.engine.verify import verify as run_verification
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.stats.promotion import FEWEST_SEEDS
from asi_arch.stats.wording import day, evidence_text, is_loss, promotion_text, q_text
from asi_arch.wishes import Wish


class VerifyWish(NamedTuple):
    """The command's options as typed."""

    which: str
    seeds: int
    against: str | None
    workers: int | None
    state: Path | None
    as_json: bool
    profile: str | None = None


def verify(wish: VerifyWish) -> None:
    """Verify one experiment and print the verdict."""
    if wish.seeds < 2:
        raise UserError(f"--seeds must be at least 2, got {wish.seeds}; 4 or more give a useful interval")
    if wish.seeds < FEWEST_SEEDS:
        Console(stderr=True, highlight=False).print(few_seeds_text(wish.seeds))
    verdict = asyncio.run(_verify(wish))
    if wish.as_json:
        Console(soft_wrap=True, highlight=False).print(
            json.dumps(verdict.model_dump(mode="json"), indent=2), markup=False
        )
    else:
        print_verdict(verdict, Console())


def few_seeds_text(seeds: int) -> str:
    """What so few seeds can't do, said before they cost anything."""
    return (
        f"{seeds} seeds give an interval and no claim: nothing is promoted on fewer than {FEWEST_SEEDS}. What is"
        f" trained now is used again by --seeds {FEWEST_SEEDS} or more."
    )


class _Chosen(NamedTuple):
    """What is verified, and the names of the baselines that it is verified against."""

    number: int
    proposal: Proposal
    rivals: list[str]


def _chosen(wish: VerifyWish, folder: Path) -> _Chosen:
    """Looked up before the lab is opened, which takes seconds. Raises `UserError` when no rival is left."""
    with opened_store(folder, read_only=True) as store:
        profile = existing_campaign(store, folder).profile
        number = options.find(store, wish.which).index
        proposal = store.proposals()[number]
    names = wish.against.split(",") if wish.against else list(profile.search.baselines)
    names = [name for item in names if (name := item.strip()) and baseline(name).sha != proposal.sha]
    if not names:
        raise UserError(f"{proposal.name} is the only baseline named; name another one with --against")
    return _Chosen(number, proposal, names)


async def _verify(wish: VerifyWish) -> Verdict:
    settings = options.settings(wish.state, wish.workers)
    chosen = _chosen(wish, settings.state)
    campaign = Wish(profile=wish.profile)
    async with opened_bench(settings.state, campaign, settings, listen=options.tell, must_exist=True) as bench:
        trainings = plan(bench, chosen.proposal, baselines=chosen.rivals, seeds=wish.seeds)
        with Bars(trainings, is_silent=wish.as_json) as bars:
            return await run_verification(
                bench,
                chosen.proposal,
                index=chosen.number,
                baselines=chosen.rivals,
                seeds=wish.seeds,
                tick=bars.tick,
                vault_tick=bars.vault,
            )


class Bars:
    """One bar for everything, one line for what trains."""

    def __init__(self, trainings: list[Training], *, is_silent: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), disable=is_silent)
        self._all = self._progress.add_task(f"{len(trainings)} trainings", total=len(trainings))
        self._done: set[Training] = set()
        self._bars: dict[Training, TaskID] = {}
        self._vault: TaskID | None = None

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tick(self, training: Training, tick: Tick) -> None:
        """Show the training's step; the last one counts it as done."""
        if training not in self._bars:
            name = f"{training.proposal.name} {training.stage.value} seed {training.seed}"
            self._bars[training] = self._progress.add_task(name, total=tick.steps)
        self._progress.update(self._bars[training], completed=tick.step)
        if tick.step >= tick.steps and training not in self._done:
            self._done.add(training)
            self._progress.update(self._bars[training], visible=False)
            self._progress.update(self._all, completed=len(self._done))

    def vault(self, done: int, total: int) -> None:
        """Show how far the scoring in the vault is."""
        if self._vault is None:
            self._vault = self._progress.add_task("the vault, blind", total=total)
        self._progress.update(self._vault, completed=done)


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Tables of the comparisons, and the sentence."""
    table = Table("quantity", "against", "candidate", "baseline", "difference (95%)", "p", title="Fresh seeds")
    for item in verdict.comparisons:
        table.add_row(
            item.quantity,
            item.baseline,
            f"{item.candidate_mean:.4f}",
            f"{item.baseline_mean:.4f}",
            _interval_text(item.difference),
            f"{item.p_value:.3g}",
        )
    console.print(table)
    if verdict.vault is not None:
        console.print(_vault_table(verdict.vault))
    console.print(verdict.statement, highlight=False, markup=False)
    console.print(promotion_text(verdict), highlight=False, markup=False, style="green" if verdict.is_promoted else "")
    console.print(_correction(verdict), style="dim", highlight=False)
    for text in (_vault_text(verdict), _noise_text(verdict)):
        console.print(text, style="dim", highlight=False, markup=False)


def _vault_table(look: VaultLook) -> Table:
    table = Table("quantity", "against", "positions", "documents", "difference (95%)", title="The vault, blind")
    for item in look.comparisons:
        counts = f"{item.positions:,}", f"{item.documents:,}"
        table.add_row(item.quantity, item.baseline, *counts, _interval_text(item.difference))
    return table


def _interval_text(interval: Interval) -> str:
    return f"{interval.estimate:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"


def _vault_text(verdict: Verdict) -> str:
    looks = verdict.vault_looks
    times = "never been opened" if looks == 0 else "been opened once" if looks == 1 else f"been opened {looks} times"
    return f"The vault, which is opened only for what fresh seeds do not refuse, has {times} in this campaign."


def _noise_text(verdict: Verdict) -> str:
    """Which A/A calibration the verdict rests on."""
    use = verdict.calibration
    if use is None:
        return "No A/A calibration is known; `asi-arch calibrate` tells the noise and what chance would be promoted."
    origin = f"made in another campaign and kept in the cache ({use.machine})" if use.is_cached else "of this campaign"
    text = (
        f"A/A calibration of {day(use.at)}, {origin}: trainings of the reference differ by {use.noise_nats:.4f} nats"
        f" (std, {use.degrees} degrees of freedom)."
    )
    spreads = [
        f"{spread.baseline} {spread.mean:.4f} ± {spread.std:.4f} ({spread.seeds} seeds)"
        for spread in use.spreads
        if is_loss(spread.quantity)
    ]
    return f"{text} Baselines' language loss, ± one std between seeds: {', '.join(spreads)}." if spreads else text


def _correction(verdict: Verdict) -> str:
    """What q and e say, for those who meet them here."""
    if verdict.q_value is None or verdict.e_value is None:
        return "No q-value: the campaign's reference was not compared with."
    return (
        f"{q_text(verdict.q_value)} after correction for all verifications of this campaign ({verdict.entrants});"
        f" {evidence_text(verdict) or f'e = {verdict.e_value:.3g}'}."
    )
