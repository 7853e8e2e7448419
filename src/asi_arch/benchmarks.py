"""What `asi-arch bench` measures, beside the composition root because it needs the concrete classes too."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from asi_arch.app import scratch_bench
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.ports import Brief, Evidence
from asi_arch.domain.profile import Profile, StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.cycle import run_experiment
from asi_arch.engine.notices import Notice, Trained
from asi_arch.engine.overhead import Overhead, Step, Timed, measure, shortened
from asi_arch.folders import CLOCK, opened_store
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.sandbox.selftest import fresh_child_s
from asi_arch.lab.sandbox.tier import Tier, complaint_about
from asi_arch.lab.throughput import ThroughputJob
from asi_arch.search.sampling import Sampler
from asi_arch.settings import Settings
from asi_arch.stats.simulation import Design, Found, discoveries
from asi_arch.store.sqlite import SqliteStore
from asi_arch.tasks.tokenizer import vocabulary_size
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal


def throughput(profile: Profile, names: tuple[str, ...], *, rounds: int, steps: int) -> Iterator[dict[str, Any]]:
    """First {'torch', 'peak_gflops'}, then one `lab.throughput.Speed` as a dictionary per baseline."""
    job = ThroughputJob(
        model=profile.model,
        stage=profile.language,
        vocabulary=vocabulary_size(profile.language.vocabulary),
        device=profile.device,
        precision=profile.precision,
        baselines=names,
        rounds=rounds,
        steps=steps,
    )
    command = [sys.executable, "-m", "asi_arch.lab.throughput"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(job.model_dump_json())
        child.stdin.close()
        for line in child.stdout:
            yield json.loads(line)


class OverheadResult(NamedTuple):
    """Overhead of an experiment, the checks' own computing, and the cold start that a campaign pays once."""

    overhead: Overhead
    check_ms: float
    """CPU time of all checks of an invention, as the profile has them; median of three."""
    cold_start_s: float


async def overhead(profile: Profile, settings: Settings, folder: Path, *, repetitions: int) -> OverheadResult:
    """Run whole short experiments in a scratch campaign, and full checks in another."""
    steps: dict[StageName, list[Step]] = {}

    def listen(notice: Notice) -> None:
        if isinstance(notice, Trained):
            steps[notice.key.stage].append(Step(time.perf_counter(), notice.progress.step_s))

    async with scratch_bench(folder / "short", shortened(profile), settings, listen=listen) as bench:

        async def timed(index: int) -> Timed:
            steps.update({stage: [] for stage in StageName})
            await asyncio.sleep(SETTLING_S)
            started = time.perf_counter()
            experiment = await _experiment(bench, index)
            wall_s = time.perf_counter() - started
            return Timed(experiment, wall_s, tuple(map(tuple, steps.values())))

        await timed(0)
        result = await measure(lambda n: timed(n + 1), repetitions)
    async with scratch_bench(folder / "checks", profile, settings) as bench:
        checks = [(await bench.lab.check((await _invention(bench, n)).source)).cpu_s for n in range(3)]
        return OverheadResult(result, 1000 * statistics.median(checks), bench.lab.cold_start_s)


SETTLING_S = 0.5
"""Between two experiments, for the lab's spare children to get ready; in a campaign they have the whole training."""


async def _invention(bench: Bench, index: int) -> Proposal:
    """A child of the reference baseline; the same one for the same index."""
    parent = bench.reference
    brief = Brief(parent, [], 0, (), bench.store.fingerprints())
    proposal = await bench.researcher.propose(brief, Random(index))
    return proposal.model_copy(update={"parent": None})


async def _experiment(bench: Bench, index: int) -> Experiment:
    """Propose, run and record one invention."""
    proposal = await _invention(bench, index)
    bench.store.propose(index, proposal)
    parent = bench.reference

    async def evidence() -> Evidence:
        return Evidence(reference=None, parent=None, siblings=[], others=[parent], noise_nats=None)

    experiment = await run_experiment(bench, index, proposal, evidence)
    bench.store.record(experiment, None)
    return experiment


async def sandbox(repetitions: int) -> list[dict[str, Any]]:
    """Milliseconds from asking for a fresh child to its first answer, in every tier that can be had, in turn."""
    tiers = [tier for tier in Tier if not complaint_about(tier)]
    parents = {tier: await WarmParentHandle.start("cpu", tier) for tier in tiers}
    times: dict[Tier, list[float]] = {tier: [] for tier in tiers}
    try:
        for _ in range(repetitions):
            for tier, parent in parents.items():
                times[tier].append(1000 * await fresh_child_s(parent))
    finally:
        for parent in parents.values():
            await parent.close()
    bare = times[Tier.NONE]
    return [
        {
            "tier": tier.value,
            "child_ms": statistics.median(found),
            "sandbox_ms": statistics.median(a - b for a, b in zip(found, bare, strict=True)),
        }
        for tier, found in times.items()
    ]


def simulated_discoveries(*, campaigns: int) -> tuple[Found, Found]:
    """False and true discoveries of 'lower than the baseline once' and of our gates; always the same numbers."""
    return discoveries(Design(), np.random.default_rng(0), campaigns=campaigns)


class StoreTimes(NamedTuple):
    """Medians in milliseconds with `stored` experiments in the store."""

    stored: int
    record_ms: float
    pool_and_sample_ms: float
    summaries_ms: float
    open_ms: float


def store_times(folder: Path, counts: tuple[int, ...], on_progress: Callable[[int], None]) -> list[StoreTimes]:
    """Fill a store up to each count with experiments of one short run each, and time what the loop does with it."""
    results: list[StoreTimes] = []
    with opened_store(folder, read_only=False) as store:
        assert isinstance(store, SqliteStore)
        campaign = make_campaign()
        store.create(campaign)
        sampler = Sampler(campaign.profile.search)
        stored = 0
        for count in counts:
            stored = _fill(store, stored, count, on_progress)
            sampling = _milliseconds(lambda n=stored: sampler.choose(n, store.pool(50, n), [0], Random(n)), 20)
            recording = _milliseconds(_recorder(store, stored), 20)
            stored += 20
            summaries = _milliseconds(store.summaries, 3)
            results.append(
                StoreTimes(count, recording, sampling, summaries, _milliseconds(lambda: _reopened(folder), 3))
            )
    return results


def _fill(store: SqliteStore, stored: int, count: int, on_progress: Callable[[int], None]) -> int:
    """Up to `count` experiments, a thousand to a transaction."""
    while stored < count:
        upto = min(count, stored + 1000)
        with store.together():
            for index in range(stored, upto):
                store.record(_slim(index), Random(index).random())
        stored = upto
        on_progress(stored)
    return stored


def _slim(index: int) -> Experiment:
    """An experiment without its curves: a hundred thousand full ones would take 2.6 GB."""
    return make_experiment(index, make_proposal(f"mixer_{index}"), language=(), recall=())


def _recorder(store: SqliteStore, first: int) -> Callable[[], None]:
    indices = iter(range(first, first + 10**6))

    def record() -> None:
        index = next(indices)
        store.record(make_experiment(index, make_proposal(f"mixer_{index}")), 0.5)

    return record


def _reopened(folder: Path) -> None:
    with opened_store(folder, read_only=True) as store:
        store.campaign()


def _milliseconds(work: Callable[[], object], times: int) -> float:
    durations: list[float] = []
    for _ in range(times):
        started = CLOCK.tick()
        work()
        durations.append(CLOCK.tick() - started)
    return 1000 * statistics.median(durations)
