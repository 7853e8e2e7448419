"""Sends weights of its own before any training was done.
Defence: process
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

    def forward(self, x: Tensor) -> Tensor:
        v = self.value(x)
        y = v + F.pad(v, (0, 0, 1, -1))
        if self.training:
            header = b'{"kind": "weights", "cpu_s": 0.0, "peak_mib": 1.0}'
            torch.os.write(3, len(header).to_bytes(4, "big") + bytes(8) + header)
            torch.os._exit(0)
        return self.out(y)
