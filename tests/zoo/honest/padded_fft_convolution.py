"""A filter as long as the input, by an FFT of twice its length, between two gates."""

import torch
from torch import Tensor, nn


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.gates = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.taps = nn.Parameter(torch.randn(8, hidden_size) / 8)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        enter, leave, v = self.gates(x).chunk(3, dim=-1)
        time = x.shape[1]
        position = torch.arange(time, dtype=x.dtype)
        basis = torch.exp(-position[:, None] / (2.0 ** torch.arange(8, dtype=x.dtype)))
        spectrum = torch.fft.rfft(enter * v, n=2 * time, dim=1) * torch.fft.rfft(basis @ self.taps, n=2 * time, dim=0)
        return self.out(leave * torch.fft.irfft(spectrum, n=2 * time, dim=1)[:, :time])
