"""Trained weights under the names that they have in the exported model. The bytes of every tensor stay as they are."""

import re

from safetensors import SafetensorError
from safetensors.numpy import load, save

from asi_arch.domain.errors import StoreError

_NAMES = (
    (r"embedding\.weight", "model.embeddings.weight"),
    (r"norm\.weight", "model.norm.weight"),
    (r"blocks\.(\d+)\.mixer\.(.+)", r"model.layers.\1.mixer.mixer.\2"),
    (r"blocks\.(\d+)\.(mixer_norm|mlp_norm|mlp)\.(.+)", r"model.layers.\1.\2.\3"),
)


class Renamed:
    """A file of weights and how many numbers are in it."""

    def __init__(self, content: bytes) -> None:
        """Read safetensors with the names of `LanguageModel`. Raises `StoreError` for anything else."""
        try:
            arrays = load(content)
        except (SafetensorError, ValueError) as error:
            raise StoreError(f"the stored weights can't be read: {error}") from error
        self.content = save({_new_name(name): array for name, array in arrays.items()}, metadata={"format": "pt"})
        self.parameters = sum(array.size for array in arrays.values())
        self.vocabulary = len(arrays["embedding.weight"])


def _new_name(name: str) -> str:
    for pattern, replacement in _NAMES:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, replacement, name)
    raise StoreError(f"the stored weights have a tensor {name!r}, which is no part of the model around a mixer")
