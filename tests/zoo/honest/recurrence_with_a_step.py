"""A gated recurrence that can be stepped token by token."""

import torch
from torch import Tensor, nn


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.gate = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        state, outputs = None, []
        for x_t in x.unbind(1):
            y_t, state = self.step(x_t, state)
            outputs.append(y_t)
        return torch.stack(outputs, 1)

    def step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """[B, D] and a state [B, D], None at the start, -> [B, D] and the next state."""
        keep = self.gate(x_t).sigmoid()
        state = (1 - keep) * self.value(x_t) + keep * (torch.zeros_like(x_t) if state is None else state)
        return self.out(state), state
