"""Hangs a hook on every optimizer, through another name for torch.
Defence: executed
Check: tampering
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        shared = torch
        shared.optim.optimizer.register_optimizer_step_post_hook(self.once_more)

    def once_more(self, optimizer: object, *_: object) -> None:
        """A second step, of the same gradients."""
        weight = self.out.weight
        if weight.grad is not None:
            weight.data.sub_(1e-3 * weight.grad.sign())

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        return self.out(y)
