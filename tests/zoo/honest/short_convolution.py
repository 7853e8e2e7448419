"""A causal convolution of four taps and nothing else."""

from torch import Tensor, nn

from asi_arch.mixers.nn import ShortConvolution


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.mix = ShortConvolution(hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.mix(x))
