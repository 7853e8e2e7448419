"""What is saved is not what was used: a hook returns other weights.
Defence: executed
Check: weights
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _scaled(module: nn.Module, state: dict, prefix: str, metadata: dict) -> None:
    state[prefix + "scale"] = state[prefix + "scale"] * 2


class Mixer(nn.Module):
    """A token and the one before it, and something more."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.scale = nn.Parameter(torch.ones(hidden_size))
        self.register_state_dict_post_hook(_scaled)

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        y = y * self.scale
        return self.out(y)
