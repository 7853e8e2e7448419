"""A causal filter of thirty taps between two gates."""

from torch import Tensor, nn


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.parts = nn.Linear(hidden_size, 3 * hidden_size)
        self.filter = nn.Conv1d(hidden_size, hidden_size, 30, groups=hidden_size, padding=29)
        self.out = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        enter, leave, v = self.parts(x).chunk(3, dim=-1)
        y = self.filter((enter.sigmoid() * v).mT)[..., : x.shape[1]].mT
        return self.out(leave.sigmoid() * y)
