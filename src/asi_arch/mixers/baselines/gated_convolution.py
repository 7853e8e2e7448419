"""Gated convolution.

No memory at all: a short convolution forms two gates and an input, a longer causal filter of 32 taps sees the recent
past, and the gates decide what enters and what leaves it. It learns local statistics fast and can't recall anything
from further back, which makes it the control for the recall tasks. After Poli et al. 2023 (arXiv 2302.10866).
"""

from torch import Tensor, nn

from asi_arch.mixers.nn import ShortConvolution

_TAPS = 32


class Mixer(nn.Module):
    """Short convolution, gate, filter, gate."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.gates_and_input = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.convolution = ShortConvolution(3 * hidden_size, activation=None)
        self.filter = ShortConvolution(hidden_size, _TAPS, activation=None)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        enter, leave, y = self.convolution(self.gates_and_input(x)).chunk(3, dim=-1)
        return self.out(leave * self.filter(enter * y))
