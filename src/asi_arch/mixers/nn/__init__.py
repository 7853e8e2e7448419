"""Building blocks of mixers. The fast forms have hand-written backward passes, first order only.

Legend: B batch, T time, D channels, H heads, K head width.
"""

from asi_arch.mixers.nn.convolution import ShortConvolution
from asi_arch.mixers.nn.heads import merge_heads, split_heads
from asi_arch.mixers.nn.norms import GatedRMSNorm, RMSNorm, l2_norm
from asi_arch.mixers.nn.rotary import Rotary

__all__ = ["GatedRMSNorm", "RMSNorm", "Rotary", "ShortConvolution", "l2_norm", "merge_heads", "split_heads"]
