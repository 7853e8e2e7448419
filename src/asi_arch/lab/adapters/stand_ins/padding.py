"""Rows of different lengths: `fla.layers.utils`. Legend: B rows, T longest row, N tokens that are not padding."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Unpadding(NamedTuple):
    """Where the tokens are among all B * T places [N], where rows begin among them [B + 1], and the longest row."""

    indices: Tensor
    cu_seqlens: Tensor
    longest: int


def get_unpad_data(attention_mask: Tensor) -> Unpadding:
    """Of a mask [B, T], in which 1 is a token and 0 is padding."""
    lengths = attention_mask.sum(-1, dtype=torch.int32)
    indices = attention_mask.flatten().nonzero().flatten()
    return Unpadding(indices, F.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0)), int(lengths.max()))


def index_first_axis(x: Tensor, indices: Tensor) -> Tensor:
    """[B * T, ...] -> [N, ...]."""
    return x.index_select(0, indices)


def pad_input(hidden_states: Tensor, indices: Tensor, batch_size: int, seq_len: int) -> Tensor:
    """[N, ...] -> [B, T, ...] with zeros for the padding."""
    places = hidden_states.new_zeros(batch_size * seq_len, *hidden_states.shape[1:])
    return places.index_copy(0, indices, hidden_states).unflatten(0, (batch_size, seq_len))
