"""`asi-arch bench`: what this machine reaches, as tables."""

import asyncio
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from asi_arch import benchmarks
from asi_arch.cli import options
from asi_arch.domain.profile import Profile
from asi_arch.mixers import baselines
from asi_arch.settings import Settings
from asi_arch.wishes import Wish, wished_profile


def bench(*, quick: bool, profile: str | None, as_json: bool) -> None:
    """Measure and print; everything is written to a temporary folder."""
    chosen, settings = wished_profile(Wish(profile=profile)), options.settings(None)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="asi-arch-bench-") as scratch, _bars(console) as bars:
        result = {
            "machine": {"cores": settings.workers, "python": platform.python_version(), "load": os.getloadavg()[0]},
            "profile": chosen.name,
            "throughput": _throughput(chosen, bars, quick=quick),
            "experiment": _overhead(chosen, settings, Path(scratch), bars, quick=quick),
            "sandbox": _sandbox(bars, quick=quick),
            "store": _store(Path(scratch) / "store", bars, quick=quick),
            "statistics": [rule._asdict() for rule in benchmarks.simulated_discoveries(campaigns=50)],
        }
    if as_json:
        Console(soft_wrap=True).print(json.dumps(result, indent=2), markup=False, highlight=False)
    else:
        _print(result, Console())


def _bars(console: Console) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True)


def _throughput(profile: Profile, bars: Progress, *, quick: bool) -> dict[str, Any]:
    names = baselines.names()
    bar = bars.add_task("speed of the baselines", total=len(names) + 1)
    lines: list[dict[str, Any]] = []
    for line in benchmarks.throughput(profile, names, rounds=3 if quick else 7, steps=4 if quick else 8):
        lines.append(line)
        bars.advance(bar)
    machine, speeds = lines[0], lines[1:]
    peak = machine["peak_gflops"]
    return {**machine, "baselines": [{**speed, "share_of_peak": speed["gflops"] / peak} for speed in speeds]}


def _overhead(profile: Profile, settings: Settings, scratch: Path, bars: Progress, *, quick: bool) -> dict[str, Any]:
    bars.add_task("overhead of an experiment", total=None)
    repetitions = 5 if quick else 11
    found = asyncio.run(benchmarks.overhead(profile, settings, scratch, repetitions=repetitions))
    return {**found.overhead._asdict(), "check_ms": found.check_ms, "cold_start_s": found.cold_start_s}


def _sandbox(bars: Progress, *, quick: bool) -> list[dict[str, Any]]:
    bars.add_task("sandbox", total=None)
    return asyncio.run(benchmarks.sandbox(7 if quick else 15))


def _store(folder: Path, bars: Progress, *, quick: bool) -> list[dict[str, Any]]:
    counts = (1_000, 10_000) if quick else (1_000, 100_000)
    bar = bars.add_task("store", total=counts[-1])
    times = benchmarks.store_times(folder, counts, lambda stored: bars.update(bar, completed=stored))
    return [line._asdict() for line in times]


def _print(result: dict[str, Any], console: Console) -> None:
    machine, speed = result["machine"], result["throughput"]
    console.print(
        f"{machine['cores']} cores, Python {machine['python']}, torch {speed['torch']}, load {machine['load']:.1f},"
        f" profile {result['profile']}; matmul peak of one core {speed['peak_gflops']:.0f} GFLOP/s"
    )
    _print_speeds(speed["baselines"], console)
    cost = result["experiment"]
    console.print(
        f"\nOne experiment, propose to stored: [bold]{cost['overhead_ms']:.0f} ms[/bold] besides training and the"
        f" checks' own {cost['check_ms']:.0f} ms (median of {cost['repetitions']}, {cost['least_ms']:.0f} to"
        f" {cost['most_ms']:.0f}; a step of both stages: {cost['step_ms']:.0f} ms,"
        f" between two steps {cost['between_steps_ms']:.1f} ms);"
        f" cold start, once: {cost['cold_start_s']:.1f} s"
    )
    told = ", ".join(f"{line['tier']} {line['sandbox_ms']:+.0f} ms" for line in result["sandbox"][:-1])
    bare = result["sandbox"][-1]
    console.print(
        f"A fresh child answers after {bare['child_ms']:.0f} ms; contained: {told or 'no tier can be had here'}\n"
    )
    table = Table(
        "stored", "record", "pool and sample", "all summaries", "open", title="Store, ms", title_justify="left"
    )
    for line in result["store"]:
        names = ("record_ms", "pool_and_sample_ms", "summaries_ms", "open_ms")
        table.add_row(f"{line['stored']:,}", *(f"{line[name]:.1f}" for name in names))
    console.print(table)
    _print_rules(result["statistics"], console)


def _print_rules(rules: list[dict[str, Any]], console: Console) -> None:
    """What each rule of discovery makes of simulated campaigns."""
    title = "Discoveries in 1,773 trials, 18 of them truly better by two sigma (simulated, means of 50 campaigns)"
    table = Table("rule", "false", "true", "campaigns misled", title=title, title_justify="left")
    for line in rules:
        table.add_row(line["rule"], f"{line['false']:.1f}", f"{line['true']:.1f}", f"{line['campaigns_misled']:.0%}")
    console.print(table)


def _print_speeds(speeds: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="Training on one core, tokens/s", title_justify="left")
    for name in ("baseline", "ours", "plain eager", "ratio", "share of peak"):
        table.add_column(name, justify="left" if name == "baseline" else "right")
    for line in speeds:
        table.add_row(
            line["name"],
            f"{line['tokens_per_s']:,.0f}",
            f"{line['eager_tokens_per_s']:,.0f}",
            f"{line['ratio']:.2f}",
            f"{line['share_of_peak']:.1%}",
        )
    console.print(table)
