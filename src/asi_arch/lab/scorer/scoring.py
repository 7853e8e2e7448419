"""Hidden states of inputs, from weights that fit exactly."""

import time
from contextlib import nullcontext
from typing import Any

import torch

from asi_arch.lab.adapters import load_adapted
from asi_arch.lab.channel import Channel, Hangup
from asi_arch.lab.contract import Arrays, Garbled, Hidden, Load, ScoreJob, Tokens
from asi_arch.mixers.model import LanguageModel


def score(job: ScoreJob, channel: Channel) -> None:
    """Build the model, take its weights, answer every batch of inputs until the controller hangs up."""
    model = build(job)
    try:
        take_weights(model, _expected(channel, Load))
        while True:
            inputs = torch.from_numpy(_expected(channel, Tokens)["inputs"]).long().to(job.device)
            with torch.no_grad(), _autocast(job):
                hidden, _ = model.hidden(inputs)
            channel.send(Hidden(cpu_s=time.process_time()), {"hidden": hidden.float().cpu().numpy()})
    except Hangup:
        return


def build(job: ScoreJob) -> LanguageModel:
    """The model, with weights that mean nothing yet."""
    mixer = load_adapted(job.source, job.adapter)
    model = LanguageModel(mixer, job.model, vocabulary=job.vocabulary, mlp_width=job.mlp_width, seed=0)
    return model.to(job.device).eval()


def take_weights(model: LanguageModel, weights: Arrays) -> None:
    """These weights and no others: names and shapes must be the model's own. Raises `RuntimeError` otherwise."""
    own = model.state_dict()
    state = {name: torch.tensor(array) for name, array in weights.items()}
    cast = {name: value.to(own[name].dtype) if name in own else value for name, value in state.items()}
    model.load_state_dict(cast, strict=True)


def _expected(channel: Channel, kind: type[Load] | type[Tokens]) -> Arrays:
    message, arrays = channel.receive()
    if not isinstance(message, kind):
        raise Garbled(f"expected {kind.__name__}, got {message.kind}")
    return arrays


def _autocast(job: ScoreJob) -> Any:
    return torch.autocast(job.device, torch.bfloat16) if job.precision == "bfloat16" else nullcontext()
