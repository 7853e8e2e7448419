"""The training loop. One thread, one order of batches, all drawn from the run's seed: bit-identical when repeated."""

import resource
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from asi_arch.domain.profile import OptimizerSpec
from asi_arch.lab.adapters import load_adapted
from asi_arch.lab.channel import Channel
from asi_arch.lab.contract import Garbled, StepReport, Tokens, TrainJob, Weights
from asi_arch.lab.optimizer import AdamW
from asi_arch.lab.worker.integrity import Integrity
from asi_arch.mixers.model import LanguageModel

MAX_AUXILIARY = 1.0
"""An auxiliary loss is clamped to this many nats, so that it can't drown the language loss."""


class StepResult(NamedTuple):
    """Losses of one step in nats, before the update."""

    loss: float
    auxiliary: float


class Trainer:
    """A model with its optimiser."""

    def __init__(self, model: LanguageModel, spec: OptimizerSpec, *, steps: int, device: str, precision: str) -> None:
        self.model = model.to(device)
        self._spec = spec
        self._steps = steps
        self._device = device
        self._is_bfloat16 = precision == "bfloat16"
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = AdamW(
            parameter_groups(model, spec.weight_decay), lr=spec.peak_lr, betas=spec.betas, eps=spec.eps, fused=True
        )
        self._step = 0

    def step(self, inputs: Tensor, targets: Tensor) -> StepResult:
        """One update on tokens and targets [B, T]."""
        rate = learning_rate(self._spec, self._step, self._steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self._autocast():
            loss, auxiliary = self.model.loss(inputs.to(self._device), targets.to(self._device))
        extra = auxiliary.clamp(-MAX_AUXILIARY, MAX_AUXILIARY)
        (loss + extra).backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, self._spec.clip_norm, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._step += 1
        return StepResult(float(loss.detach()), float(auxiliary.detach()))

    def _autocast(self) -> Any:
        return torch.autocast(self._device, torch.bfloat16) if self._is_bfloat16 else nullcontext()


def learning_rate(spec: OptimizerSpec, step: int, steps: int) -> float:
    """Of step 0, 1, ...: linear warm-up, constant, linear to zero over the last `decay_fraction` of the steps."""
    warm = min(1.0, (step + 1) / spec.warmup_steps) if spec.warmup_steps else 1.0
    decay_steps = max(1.0, spec.decay_fraction * steps)
    return spec.peak_lr * min(warm, (steps - step) / decay_steps, 1.0)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; vectors and scalars (gains, biases, decay rates) don't."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim >= 2]
    vectors = [parameter for parameter in trained if parameter.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def build(job: TrainJob) -> Trainer:
    """The model of a job, initialised from its seed."""
    mixer = load_adapted(job.source, job.adapter)
    model = LanguageModel(mixer, job.model, vocabulary=job.vocabulary, mlp_width=job.mlp_width, seed=job.seed)
    return Trainer(model, job.optimizer, steps=job.steps, device=job.device, precision=job.precision)


def work(job: TrainJob, channel: Channel, integrity: Integrity | None = None) -> None:
    """Train on the batches that arrive, report each step, send the weights.

    `integrity` was made while there was nothing else to do, before any candidate code was loaded.
    """
    integrity = integrity or Integrity()
    trainer = build(job)
    integrity.require_untouched("when it was loaded or built")
    trainer.model.train()
    seed = torch.initial_seed()
    for inputs, targets in _batches(channel, job.steps):
        began = time.perf_counter()
        result = trainer.step(inputs, targets)
        took_s = time.perf_counter() - began
        report = StepReport(loss=result.loss, auxiliary=result.auxiliary, cpu_s=time.process_time(), wall_s=took_s)
        channel.send(report)
    integrity.require_own(trainer.model, trainer.optimizer, seed)
    state = trainer.model.state_dict()
    arrays = {name: value.detach().float().cpu().numpy() for name, value in state.items()}
    channel.send(Weights(peak_mib=peak_mib(), cpu_s=time.process_time()), arrays)


def peak_mib() -> float:
    """Largest resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _batches(channel: Channel, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    for _ in range(steps):
        message, arrays = channel.receive()
        if not isinstance(message, Tokens):
            raise Garbled(f"expected tokens, got {message.kind}")
        yield torch.from_numpy(arrays["inputs"]).long(), torch.from_numpy(arrays["targets"]).long()
