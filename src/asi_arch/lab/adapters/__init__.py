"""Sources written for other interfaces than ours, as mixers. Runs in children only: candidate code is executed here.

An adapter turns the text of a program into a class with our contract, (hidden_size, num_heads, layer_idx) and
[B, T, D] -> [B, T, D], without a change to what the program computes, and says where it had to read it differently.
"""

from torch import nn

from asi_arch.domain.candidate import Adapter
from asi_arch.domain.outcome import Finding, Severity
from asi_arch.lab.adapters.fla import FLA_IMPORTS, load_layer
from asi_arch.lab.adapters.rewriting import notes
from asi_arch.lab.loading import load_mixer

__all__ = ["load_adapted", "remarks"]


def load_adapted(source: str, adapter: Adapter) -> type[nn.Module]:
    """Execute the module and return its mixer class. Raises `LoadFailure` as `load_mixer` does."""
    return load_layer(source) if adapter is Adapter.FLA else load_mixer(source)


def remarks(source: str, adapter: Adapter) -> tuple[Finding, ...]:
    """A warning with its line for everything that the adapter reads in another way than it is written."""
    found = notes(source, FLA_IMPORTS) if adapter is Adapter.FLA else []
    return tuple(
        Finding(check="adapter", severity=Severity.WARNING, message=f"Line {line}: {text}.", position=line)
        for line, text in found
    )
