"""A gated recurrence whose gates see the input only, solved for all steps by a scan of logarithms."""

from torch import Tensor, nn
from torch.nn import functional as F


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.gate = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(x)
        decay = -F.softplus(gate).clamp_max(4).cumsum(1)
        written = F.logsigmoid(gate) + F.softplus(self.value(x)).clamp_min(1e-6).log()
        return self.out((decay + (written - decay).logcumsumexp(1)).exp())
