"""A long filter is applied by an FFT without padding, so that it wraps around.
Defence: executed
Check: future
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
        taps = F.pad(torch.ones(4, dtype=v.dtype), (0, max(0, x.shape[1] - 4)))[: x.shape[1]]
        spectrum = torch.fft.rfft(v, dim=1) * torch.fft.rfft(taps).unsqueeze(-1)
        y = torch.fft.irfft(spectrum, n=x.shape[1], dim=1)
        return self.out(y)
