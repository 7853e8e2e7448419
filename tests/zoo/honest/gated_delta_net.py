"""The delta rule with a decay for each head."""

from torch import Tensor, nn
from torch.nn import functional as F

from asi_arch.mixers.nn import l2_norm, merge_heads, split_heads
from asi_arch.mixers.ops import gated_delta_rule


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.strength = nn.Linear(hidden_size, num_heads)
        self.decay = nn.Linear(hidden_size, num_heads)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        y = gated_delta_rule(l2_norm(q), l2_norm(k), v, self.strength(x).sigmoid(), F.logsigmoid(self.decay(x) + 3))
        return self.out(merge_heads(y))
