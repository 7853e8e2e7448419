"""Window attention whose rotary tables are made once for the longest input so far, and kept as buffers."""

import torch
from torch import Tensor, nn

from asi_arch.mixers.nn import merge_heads, split_heads
from asi_arch.mixers.ops import sliding_window_attention


class Mixer(nn.Module):
    """[B, T, D] -> [B, T, D], causal."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.num_heads = num_heads
        self.half = hidden_size // num_heads // 2
        self.longest = 0
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def _tables(self, time: int) -> tuple[Tensor, Tensor]:
        if time > self.longest:
            rates = 100.0 ** (-torch.arange(self.half, dtype=torch.float64) / self.half)
            angles = torch.arange(time, dtype=torch.float64)[:, None] * rates
            self.register_buffer("cosines", angles.cos(), persistent=False)
            self.register_buffer("sines", angles.sin(), persistent=False)
            self.longest = time
        return self.cosines[:time, None], self.sines[:time, None]

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        cosines, sines = (table.to(x.dtype) for table in self._tables(x.shape[1]))
        q, k = (
            torch.cat([a * cosines - b * sines, a * sines + b * cosines], -1)
            for a, b in (part.chunk(2, dim=-1) for part in (q, k))
        )
        return self.out(merge_heads(sliding_window_attention(q, k, v, window=16)))
