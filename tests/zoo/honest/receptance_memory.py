"""Diagonal plus rank one memory, as in RWKV-7."""

from torch import Tensor, nn

from asi_arch.mixers.nn import l2_norm, merge_heads, split_heads
from asi_arch.mixers.ops import rwkv7


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.decay = nn.Linear(hidden_size, hidden_size)
        self.rate = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))

        log_decay = -0.6 * split_heads(self.decay(x).sigmoid(), self.num_heads)
        removed = l2_norm(k)
        rate = split_heads(self.rate(x).sigmoid(), self.num_heads)
        return self.out(merge_heads(rwkv7(q, log_decay, removed, v, -removed, removed * rate)))
