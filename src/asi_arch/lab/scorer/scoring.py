"""Hidden states of inputs, from weights that fit exactly."""

import time
from contextlib import nullcontext
from typing import Any

import torch

from asi_arch.lab.channel import Channel, Hangup
from asi_arch.lab.contract import Arrays, Garbled, Hidden, ScoreJob, Tokens
from asi_arch.lab.loading import load_mixer
from asi_arch.mixers.model import LanguageModel


def score(job: ScoreJob, weights: Arrays, channel: Channel) -> None:
    """Answer every batch of inputs until the controller hangs up."""
    model = build(job, weights)
    while True:
        try:
            message, arrays = channel.receive()
        except Hangup:
            return
        if not isinstance(message, Tokens):
            raise Garbled(f"expected tokens, got {message.kind}")
        inputs = torch.from_numpy(arrays["inputs"]).long().to(job.device)
        with torch.no_grad(), _autocast(job):
            hidden, _ = model.hidden(inputs)
        channel.send(Hidden(cpu_s=time.process_time()), {"hidden": hidden.float().cpu().numpy()})


def build(job: ScoreJob, weights: Arrays) -> LanguageModel:
    """The model with these weights and no others: names and shapes must be the model's own."""
    mixer = load_mixer(job.source)
    model = LanguageModel(mixer, job.model, vocabulary=job.vocabulary, mlp_width=job.mlp_width, seed=0)
    own = model.state_dict()
    state = {name: torch.tensor(array) for name, array in weights.items()}
    cast = {name: value.to(own[name].dtype) if name in own else value for name, value in state.items()}
    model.load_state_dict(cast, strict=True)
    return model.to(job.device).eval()


def _autocast(job: ScoreJob) -> Any:
    return torch.autocast(job.device, torch.bfloat16) if job.precision == "bfloat16" else nullcontext()
