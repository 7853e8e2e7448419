"""A lab without processes or tensors: every result is a pure function of the source and the seed."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from asi_arch.domain.candidate import Adapter, candidate_sha
from asi_arch.domain.experiment import MQAR
from asi_arch.domain.outcome import (
    CheckReport,
    Finding,
    Footprint,
    GroupScore,
    Measured,
    Outcome,
    Run,
    Severity,
    StageScore,
    StoppedEarly,
)
from asi_arch.domain.ports import BlindScores, NextToken, Progress, Ruling, RunOrder
from asi_arch.domain.profile import StageName
from asi_arch.domain.record import sha256

STEPS, RUNG = 4, 2
POSITIONS, DOCUMENTS = 256, 32
"""Of a blind score."""


class FakeLab:
    """Rejects one candidate in eight and stops one in eight early; the rest are measured.

    `delay` is asked before each answer for the seconds to wait, so that tests can shuffle the order of finishing.
    `orders` remembers what was asked for, `blind_orders` what was to be scored blind, with its weights.
    """

    containment = "fake"
    cold_start_s = 0.0

    def __init__(self, delay: Callable[[], float] = lambda: 0.0) -> None:
        self._delay = delay
        self.orders: list[RunOrder] = []
        self.blind_orders: list[tuple[RunOrder, bytes]] = []

    async def check(self, source: str, adapter: Adapter = Adapter.MIXER) -> CheckReport:
        """Every eighth source is rejected by 'future'."""
        await asyncio.sleep(self._delay())
        sha = candidate_sha(source, adapter)
        findings: tuple[Finding, ...] = ()
        if int(sha[:8], 16) % 8 == 0:
            findings = (Finding(check="future", severity=Severity.ERROR, message="the past depends on the future"),)
        return CheckReport(sha=sha, findings=findings, passed_checks=("load",), footprint=_footprint(source), cpu_s=0.1)

    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        """A loss near 1.6 and accuracies between 0 and 1, drawn from the hash."""
        self.orders.append(order)
        key = order.key
        rng = Random(f"{key.sha}:{key.stage.value}:{key.seed}:{key.split.value}")
        level = 1.5 + int(key.sha[8:12], 16) / 65535 * 0.2 + rng.gauss(0.0, 0.005)
        for step in range(1, STEPS + 1):
            await asyncio.sleep(self._delay())
            on_progress(Progress(step, STEPS, level + 1.0 / step, 1000.0))
        losses = tuple(level + 1.0 / step for step in range(1, STEPS + 1))
        stop, ruling = await self._at_the_rung(order, level)
        if stop is not None and ruling is Ruling.STOP:
            return Run(key=key, outcome=stop, losses=losses[:RUNG], steps=RUNG, tokens=RUNG, cpu_s=0.5), b""
        if order.keep_losses is not None:
            order.keep_losses(np.full((4, 4), level, dtype=np.float32))
        run = Run(
            key=key,
            outcome=Measured(),
            losses=losses,
            score=_score(order, level, rng),
            would_stop=stop if ruling is Ruling.LET_THROUGH else None,
            steps=STEPS,
            tokens=STEPS,
            cpu_s=1.0,
            containment=self.containment,
        )
        return run, f"{key.model_dump_json()}".encode()

    async def score_blind(self, order: RunOrder, weights: bytes) -> BlindScores | Outcome:
        """Losses and hits about the source's own level, with what positions and documents have in common for all."""
        await asyncio.sleep(self._delay())
        self.blind_orders.append((order, weights))
        key = order.key
        level, accuracy = self.levels(order)
        common = np.random.default_rng(len(key.stage.value))
        documents = np.repeat(np.arange(DOCUMENTS, dtype=np.int32), POSITIONS // DOCUMENTS)
        difficulty = common.normal(0.0, 0.3, POSITIONS) + common.normal(0.0, 0.1, DOCUMENTS)[documents]
        own = np.random.default_rng(int(sha256(f"{key.sha}:{key.stage.value}:{key.seed}")[:16], 16))
        losses = level + difficulty + own.normal(0.0, 0.02, POSITIONS)
        return BlindScores(documents, losses, common.random(POSITIONS) < accuracy)

    async def continue_text(self, order: RunOrder, weights: bytes, prompt: Sequence[int], choose: NextToken) -> Outcome:
        """The byte after the last one is the likeliest of 256."""
        last: int | None = prompt[-1]
        while last is not None:
            await asyncio.sleep(self._delay())
            last = choose(np.where(np.arange(256) == (last + 1) % 256, 1.0, 0.0))
        return Measured()

    def levels(self, order: RunOrder) -> tuple[float, float]:
        """Loss and accuracy about which a source's blind scores lie."""
        return 1.5 + int(order.key.sha[8:12], 16) / 65535 * 0.2, 0.5 + int(order.key.sha[12:16], 16) / 131070

    def wants_to_stop(self, order: RunOrder) -> bool:
        """Whether this seed asks for an early stop."""
        return int(order.key.sha[16:24], 16) % 8 == 0

    async def _at_the_rung(self, order: RunOrder, level: float) -> tuple[StoppedEarly | None, Ruling]:
        """The stop that this seed asks for, and what the others say; the rung comes once, at step `RUNG`."""
        if order.baseline is None or order.key.stage is not StageName.LANGUAGE:
            return None, Ruling.GO_ON
        stop = None
        if self.wants_to_stop(order):
            stop = StoppedEarly(stage=order.key.stage, step=RUNG, loss_nats=level, baseline_loss_nats=1.5, margin=0.05)
        assert order.ballot is not None, "the engine has a say in every early stop"
        return stop, await order.ballot(RUNG, stop)

    async def close(self) -> None:
        """Nothing to end."""


def _footprint(source: str) -> Footprint:
    lines = len(source.splitlines())
    return Footprint(
        parameters=17_000,
        model_parameters=97_000,
        mlp_width=128,
        aten_calls=100 + lines,
        flops=1_000_000,
        elements=100_000 + 100 * lines,
        growth=1.0,
        memory_growth=1.0,
        code_lines=lines,
    )


def _score(order: RunOrder, level: float, rng: Random) -> StageScore:
    names = ("text",) if order.key.stage is StageName.LANGUAGE else (MQAR, "state_tracking")
    accuracy = int(order.key.sha[12:16], 16) / 65535
    groups = {name: GroupScore(loss_nats=level, accuracy=0.5 + accuracy / 2, targets=10) for name in names}
    return StageScore(
        split=order.key.split,
        loss_nats=level,
        accuracy=0.5 + accuracy / 2,
        groups=groups,
        rows=tuple(level + rng.gauss(0.0, 0.1) for _ in range(4)),
    )
