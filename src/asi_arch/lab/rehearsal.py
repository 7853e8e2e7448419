"""Going through the motions with a program of our own, so that a candidate's first step costs what its second costs.

In the warm parent this loads what torch would load lazily. In a child that waits for its job it takes the page faults
that a fork leaves behind (a thousand pages are copied on their first write) and fetches the memory that training needs.
"""

from typing import Any

import torch

from asi_arch.domain.profile import ModelSpec, OptimizerSpec
from asi_arch.lab.contract import ScoreJob, TrainJob
from asi_arch.lab.scorer.scoring import build as build_scorer
from asi_arch.lab.scorer.scoring import take_weights
from asi_arch.lab.worker.training import build
from asi_arch.mixers import baselines

_MEMORY_MIB = 64
"""A training step of the `cpu` profile works on 55 MiB."""


def rehearse(device: str) -> None:
    """Train for two steps and score, on the CPU; torch's random state is left as it was.

    For a GPU nothing is trained: a CUDA context, or autograd's threads for a GPU, would not survive a fork.
    """
    state = torch.get_rng_state()
    source = baselines.load("delta_net").source
    common: dict[str, Any] = {
        "source": source,
        "model": ModelSpec(depth=1),
        "vocabulary": 8,
        "mlp_width": 8,
        "device": "cpu",
        "precision": "float32",
    }
    trainer = build(TrainJob(optimizer=OptimizerSpec(), steps=2, seed=0, **common))
    tokens = torch.zeros(2, 40, dtype=torch.long)
    for _ in range(2 if device == "cpu" else 0):
        trainer.step(tokens, tokens)
    weights = {name: value.numpy() for name, value in trainer.model.state_dict().items()}
    with torch.no_grad():
        scorer = build_scorer(ScoreJob(**common))
        take_weights(scorer, weights)
        scorer.hidden(tokens)
    torch.set_rng_state(state)


def fetch_memory() -> None:
    """Write to fresh memory and free it: `MALLOC_TRIM_THRESHOLD_` in our environment keeps it with the process."""
    blocks = [torch.zeros(1 << 18) for _ in range(_MEMORY_MIB)]
    del blocks
