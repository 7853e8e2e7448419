"""An exponential average with learned weights and a bonus for the present, as in RWKV-4."""

import torch
from torch import Tensor, nn


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.key = nn.Linear(hidden_size, hidden_size, bias=False)
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.receptance = nn.Linear(hidden_size, hidden_size, bias=False)
        self.bonus = nn.Parameter(torch.zeros(hidden_size))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        k, v = torch.tanh(self.key(x)), self.value(x)
        sums, weights, outputs = torch.zeros_like(k[:, 0]), torch.zeros_like(k[:, 0]), []
        for k_t, v_t in zip(k.unbind(1), v.unbind(1), strict=True):
            now = (self.bonus + k_t).exp()
            outputs.append((sums + now * v_t) / (weights + now))
            sums, weights = 0.9 * sums + k_t.exp() * v_t, 0.9 * weights + k_t.exp()
        return self.out(self.receptance(x).sigmoid() * torch.stack(outputs, 1))
