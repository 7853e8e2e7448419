"""Whether a candidate left its trainer alone: looked at after it was loaded, and again after the last step.

Candidate and trainer share a process, so code that wants to can undo what it did before we look. It gains nothing:
losses that a worker reports are no score, and the scorer's process never saw this one. What is caught here is the
change by accident or by habit, with its name.
"""

from collections.abc import Iterator

import torch
from torch import nn

from asi_arch.lab.checks.surroundings import Surroundings
from asi_arch.lab.loading import Tampered
from asi_arch.lab.optimizer import AdamW
from asi_arch.mixers.model import Block, LanguageModel

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_SETTINGS = ("betas", "eps", "fused", "maximize")
_TENSOR_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")


class Integrity:
    """Remembers torch's functions and settings at the moment it is made, before any candidate code is loaded."""

    def __init__(self) -> None:
        self._before = Surroundings()

    def require_untouched(self, when: str) -> None:
        """Raises `Tampered` naming what is different."""
        if changed := self._before.changes():
            raise Tampered(_message(changed, when))

    def require_own(self, model: LanguageModel, optimizer: AdamW, seed: int) -> None:
        """The same, and that model, optimizer and random stream are as the trainer made them."""
        changed = [*self._before.changes(), *_changes(model, optimizer)]
        if torch.initial_seed() != seed:
            changed.append("the seed of torch's random numbers")
        if changed:
            raise Tampered(_message(changed, "while it was trained"))


def _changes(model: LanguageModel, optimizer: AdamW) -> Iterator[str]:
    trained = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    optimized = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if optimized != trained:
        yield "which parameters are trained"
    if type(optimizer) is not AdamW or {"step", "zero_grad"} & set(vars(optimizer)):
        yield "the optimizer"
    if any(group[name] != optimizer.defaults[name] for group in optimizer.param_groups for name in _SETTINGS):
        yield "the optimizer's settings"
    for name, module in _own_modules(model):
        if any(vars(module).get(hooks) for hooks in _HOOKS) or "forward" in vars(module):
            yield f"how {name} is called"
        for part, parameter in module.named_parameters(recurse=False):
            if any(getattr(parameter, hooks, None) for hooks in _TENSOR_HOOKS):
                yield f"the gradient of {name}.{part}"


def _own_modules(model: LanguageModel) -> Iterator[tuple[str, nn.Module]]:
    """All but the mixers."""
    mixers = {id(part) for block in model.blocks if isinstance(block, Block) for part in block.mixer.modules()}
    for name, module in model.named_modules():
        if id(module) not in mixers:
            yield name or "the model", module


def _message(changed: list[str], when: str) -> str:
    return f"The candidate changed {', '.join(changed[:3])} {when}; leave everything outside the class alone."
