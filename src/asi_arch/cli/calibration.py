"""`asi-arch calibrate`: the baseline against itself and beside the others, with its cost told first."""

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from asi_arch.app import baseline, opened_bench
from asi_arch.cli import options
from asi_arch.cli.board import clock_text
from asi_arch.cli.second_look import Bars
from asi_arch.domain.calibration import Calibration
from asi_arch.domain.errors import UserError
from asi_arch.engine.calibrate import Estimate, calibrate, enough, estimate, plan, require_enough
from asi_arch.engine.claim import Calibrated
from asi_arch.mixers.baselines import names as known_names
from asi_arch.stats.power import MOST_SEEDS, seeds_needed
from asi_arch.stats.promotion import ALPHA, FEWEST_SEEDS
from asi_arch.stats.wording import day, is_loss
from asi_arch.wishes import Wish

_GAINS = (0.01, 0.02, 0.05)
"""Differences in nats whose number of seeds is told."""


class CalibrateWish(NamedTuple):
    """The command's options as typed."""

    trials: int
    seeds: int
    workers: int | None
    state: Path | None
    as_json: bool
    again: bool = False
    against: tuple[str, ...] = ()
    all_baselines: bool = False

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of those that are measured beside the reference. Raises `UserError` for an empty one."""
        names = tuple(name.strip() for text in self.against for name in text.split(","))
        if not all(names):
            raise UserError(
                f"--against needs names of baselines, got an empty one; known are {', '.join(known_names())}"
            )
        for name in names:
            baseline(name)
        return known_names() if self.all_baselines else names


def run(wish: CalibrateWish) -> None:
    """Calibrate, or take what is known, and print it."""
    require_enough(trials=wish.trials, seeds=wish.seeds)
    found = asyncio.run(_calibrated(wish, wish.baselines))
    if wish.as_json:
        text = json.dumps(found.model_dump(mode="json"), indent=2)
        Console(soft_wrap=True, highlight=False).print(text, markup=False)
    else:
        print_calibration(found, Console())


async def _calibrated(wish: CalibrateWish, against: tuple[str, ...]) -> Calibration:
    settings = options.settings(wish.state, wish.workers)
    async with opened_bench(settings.state, Wish(), settings, listen=options.tell, must_exist=True) as bench:
        size = {"trials": wish.trials, "seeds": wish.seeds}
        known = None if wish.again else enough(bench, **size)
        trainings = plan(bench, **size, against=against, known=known and known.calibration)
        if known is not None:
            text = known_text(known, is_all=not trainings)
            Console(stderr=True, highlight=False).print(text, markup=False)
            if not trainings:
                return known.calibration
        Console(stderr=True, highlight=False).print(cost_text(estimate(bench, trainings), settings.workers))
        with Bars(trainings, is_silent=wish.as_json) as bars:
            return await calibrate(bench, **size, tick=bars.tick, against=against, known=known)


def known_text(known: Calibrated, *, is_all: bool = True) -> str:
    """Why nothing is trained, or only the baselines that are not known yet, in a sentence."""
    found = known.calibration
    where = (
        f"in another campaign on this class of machines ({found.machine})" if known.is_cached else "in this campaign"
    )
    consequence = "nothing is trained" if is_all else "only the other baselines are trained"
    return f"Known since {day(found.at)}, measured {where}: {consequence}. --again measures it in this campaign."


def cost_text(cost: Estimate, workers: int, like: str = "the reference") -> str:
    """What is about to be spent, in a sentence."""
    text = f"{cost.trainings} trainings, {cost.trainings - cost.missing} of them stored."
    if cost.missing == 0:
        return f"{text} Nothing is left to train."
    if cost.cpu_s is None:
        return f"{text} How long the others take is not known: {like} has not been trained yet."
    wall = clock_text(cost.cpu_s / workers)
    text += f" The others take about {clock_text(cost.cpu_s)} of CPU time, {wall} with {workers} at a time."
    if cost.guessed:
        text += f" {cost.guessed} are of programs never trained here and are counted like those of {like}."
    return text


def print_calibration(found: Calibration, console: Console) -> None:
    """Noise, promotion rate, and the seeds that a claim needs."""
    title = f"{found.baseline} against itself" + (f" ({found.machine})" if found.machine else "")
    table = Table("quantity", "noise between seeds (std)", "degrees of freedom", title=title)
    for noise in found.noise:
        table.add_row(noise.quantity, f"{noise.std:.4f}", str(noise.degrees))
    console.print(table)
    rate = found.rate
    console.print(
        f"Promoted: {found.promoted} of {found.trials} pairs of {found.seeds} seeds that differ by chance alone,"
        f" {rate.estimate:.0%} [{rate.low:.0%}, {rate.high:.0%}] (95%); at most {ALPHA:.0%} are meant to be.",
        highlight=False,
    )
    if rate.low > ALPHA:
        console.print("Too many: `asi-arch verify` promotes nothing in this campaign until it is mended.", style="red")
    console.print(_needed(found), highlight=False)
    if found.baselines:
        console.print(_spreads(found))


def _spreads(found: Calibration) -> Table:
    table = Table("baseline", "quantity", "mean", "between seeds (std)", "seeds", title="Baselines, same fresh seeds")
    for spread in (spread for item in found.baselines for spread in item.spreads):
        numbers = (f"{spread.mean:.4f}", f"{spread.std:.4f}", str(spread.seeds))
        table.add_row(spread.baseline, spread.quantity, *numbers)
    return table


def _needed(found: Calibration) -> str:
    """Seeds for a promotion by size of the gain, were it the campaign's only test: more of them need more."""
    noise = next(noise.std for noise in found.noise if is_loss(noise.quantity))
    if noise == 0:
        return "Without any noise the number of seeds that a gain needs can't be told."
    known = {gain: seeds_needed(gain, noise * 2**0.5) for gain in _GAINS}
    parts = [
        f"{gain:g} nats: {max(seeds, FEWEST_SEEDS) if seeds else f'more than {MOST_SEEDS}'}"
        for gain, seeds in known.items()
    ]
    return f"Fresh seeds that find a true gain in four of five cases: {'; '.join(parts)}."
