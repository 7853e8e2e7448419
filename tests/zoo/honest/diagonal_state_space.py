"""Complex diagonal recurrence, computed as a long convolution."""

import torch
from torch import Tensor, nn


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.log_rate = nn.Parameter(torch.linspace(-5, -1, hidden_size))
        self.angle = nn.Parameter(torch.linspace(0, 3, hidden_size))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        time = x.shape[1]
        t = torch.arange(time, dtype=x.dtype).unsqueeze(-1)
        kernel = (-self.log_rate.exp() * t).exp() * (self.angle * t).cos()
        spectrum = torch.fft.rfft(self.value(x), n=2 * time, dim=1) * torch.fft.rfft(kernel, n=2 * time, dim=0)
        return self.out(torch.fft.irfft(spectrum, n=2 * time, dim=1)[:, :time])
