"""How fast models train here: a child of its own, run as `python -m asi_arch.lab.throughput`.

Takes a `ThroughputJob` as JSON on its standard input and prints one JSON object per line. Both forms of a model are
measured in turn, round by round, so that a machine whose speed drifts slows both.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from asi_arch.domain.profile import LanguageStage, ModelSpec
from asi_arch.domain.record import Record


class ThroughputJob(Record):
    """What to measure. `target_parameters` None takes the profile's MLP width as it is."""

    model: ModelSpec
    stage: LanguageStage
    vocabulary: int
    device: str
    precision: str
    baselines: tuple[str, ...]
    rounds: int
    steps: int
    """Per round and form."""


class Speed(NamedTuple):
    """Of one baseline: medians over the rounds."""

    name: str
    tokens_per_s: float
    eager_tokens_per_s: float
    ratio: float
    """Ours over eager, median of the ratios round by round."""
    gflops: float
    """Floating-point operations per second that our form reaches in forward and backward matmuls, in billions."""


def matmul_gflops(device: str, size: int = 1024, seconds: float = 1.0) -> float:
    """Best speed of a square float32 matmul on one thread, in billions of operations per second."""
    import torch

    a, b = torch.randn(2, size, size, device=device)
    best, until = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        (a @ b).sum().item()
        best = max(best, 2 * size**3 / (time.perf_counter() - started) / 1e9)
    return best


def measure(job: ThroughputJob, name: str) -> Speed:
    """Train both forms in turn, on random tokens."""
    from asi_arch.mixers.dispatch import Implementation, use

    steppers = {form: _stepper(job, name) for form in (Implementation.FAST, Implementation.EAGER)}
    rates: dict[Implementation, list[float]] = {form: [] for form in steppers}
    for turn in range(job.rounds + 1):
        for form, step in steppers.items():
            with use(form):
                rate = _rate(job, step)
            if turn:  # the first round warms up
                rates[form].append(rate)
    ours, eager = rates[Implementation.FAST], rates[Implementation.EAGER]
    tokens_per_s = statistics.median(ours)
    ratio = statistics.median(a / b for a, b in zip(ours, eager, strict=True))
    flops = _flops(steppers[Implementation.FAST]) / (job.stage.batch * job.stage.context)
    return Speed(name, tokens_per_s, statistics.median(eager), ratio, tokens_per_s * flops / 1e9)


def _stepper(job: ThroughputJob, name: str) -> Callable[[], object]:
    import torch

    from asi_arch.lab.contract import TrainJob
    from asi_arch.lab.worker.training import build
    from asi_arch.mixers import baselines

    trainer = build(
        TrainJob(
            source=baselines.load(name).source,
            model=job.model,
            vocabulary=job.vocabulary,
            mlp_width=job.model.mlp_width,
            optimizer=job.stage.optimizer,
            steps=10**6,
            seed=0,
            device=job.device,
            precision=job.precision,
        )
    )
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(job.vocabulary, (job.stage.batch, job.stage.context), generator=generator)
    return lambda: trainer.step(tokens, tokens)


def _rate(job: ThroughputJob, step: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(job.steps):
        step()
    return job.steps * job.stage.batch * job.stage.context / (time.perf_counter() - started)


def _flops(step: Callable[[], object]) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def main() -> None:
    """Entry point: measure the peak, then every baseline."""
    import torch

    torch.set_num_threads(1)
    job = ThroughputJob.model_validate_json(sys.stdin.read())
    _say({"torch": torch.__version__, "peak_gflops": matmul_gflops(job.device)})
    for name in job.baselines:
        _say(measure(job, name)._asdict())


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
