"""Linear attention with a decay for each channel."""

from torch import Tensor, nn
from torch.nn import functional as F

from asi_arch.mixers.nn import merge_heads, split_heads
from asi_arch.mixers.ops import vector_decay


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.decay = nn.Linear(hidden_size, hidden_size)
        self.gate = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        log_decay = split_heads(F.logsigmoid(self.decay(x)) / 16, self.num_heads)
        y = merge_heads(vector_decay(q / 8, k, v, log_decay))
        return self.out(y * F.silu(self.gate(x)))
