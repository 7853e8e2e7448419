"""Tensor types of the ops.

Legend for the whole package: B batch, T time, H heads, K key width, V value width;
N chunks, C steps in a chunk, G = N * B * H chunks in all, numbered chunk first.
"""

from jaxtyping import Float
from torch import Tensor

Keys = Float[Tensor, "B T H K"]
Values = Float[Tensor, "B T H V"]
PerHead = Float[Tensor, "B T H"]
PerChannel = Float[Tensor, "B T H K"]
